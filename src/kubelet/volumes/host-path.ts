import type { Stats } from 'node:fs'
import { chmod, mkdir, open, stat } from 'node:fs/promises'
import { onThisMachine } from '../plugins/kubelet-folder.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/**
 * A path of the node itself; /var/lib/kubelet is this kubelet's own folder. Types are checked, and made where they say
 * so (upstream: hostpath checkType).
 */
export const hostPath: VolumePlugin = {
  name: 'host-path',
  async setUp({ volume }, { facts }) {
    const { path: named, type = '' } = volume.hostPath!
    const path = onThisMachine(named, facts.rootDir)
    if (type === 'DirectoryOrCreate') await makeDirectory(path)
    if (type === 'FileOrCreate') await makeFile(path)
    const check = CHECKS[type]
    const found = check && (await stat(path).catch(() => undefined))
    if (check && (!found || !check.is(found)))
      throw new Error(`hostPath type check failed: ${named} is not a ${check.what}`)
    return { hostPath: path }
  },
}

const directory = { what: 'directory', is: (found: Stats) => found.isDirectory() }
const file = { what: 'file', is: (found: Stats) => found.isFile() }

const CHECKS: Record<string, { what: string; is: (found: Stats) => boolean }> = {
  DirectoryOrCreate: directory,
  Directory: directory,
  FileOrCreate: file,
  File: file,
  Socket: { what: 'socket file', is: found => found.isSocket() },
  CharDevice: { what: 'character device', is: found => found.isCharacterDevice() },
  BlockDevice: { what: 'block device', is: found => found.isBlockDevice() },
}

async function makeDirectory(path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) return
  await mkdir(path, { recursive: true, mode: 0o755 })
  await chmod(path, 0o755)
}

async function makeFile(path: string): Promise<void> {
  if (await stat(path).catch(() => undefined)) return
  const handle = await open(path, 'a', 0o644)
  await handle.close()
}
