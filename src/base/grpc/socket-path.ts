// Unix sockets whose path is longer than the kernel takes are reached through their folder's file descriptor.
import { closeSync, constants, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** sun_path has 108 bytes, and a zero at its end. */
const LONGEST = 107

export interface SocketPath {
  /** Short enough to bind and to connect to, as long as it is not closed. */
  path: string
  close(): void
}

/** The folder must be there. */
export function socketPath(path: string): SocketPath {
  if (Buffer.byteLength(path) <= LONGEST) return { path, close: () => {} }
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${folder}/${basename(path)}`, close: () => closeSync(folder) }
}
