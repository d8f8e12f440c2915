// The places that a container's mounts go to, made in a layer below the image's. The OCI runtime would make those that
// the image lacks in the writable layer, on the disk, for each container anew.
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { OciMount } from './oci-spec.ts'

export interface MountTarget {
  /** Absolute, inside the container. */
  path: string
  isFile: boolean
}

/** Those of the root itself: what is below another mount's place is made inside that mount. */
export function mountTargets(
  mounts: readonly OciMount[],
  isFile: (source: string) => boolean = isNoDirectory,
): MountTarget[] {
  const paths = mounts.map(({ destination }) => posix.resolve('/', destination))
  const isBelowAnother = (path: string) => paths.some(other => path.startsWith(`${other}/`))
  return mounts.flatMap(({ type, source }, index) => {
    const path = paths[index]!
    return path === '/' || isBelowAnother(path) ? [] : [{ path, isFile: type === 'bind' && isFile(source) }]
  })
}

/** Makes them below the folder, which nobody else writes to. */
export function makeMountTargets(folder: string, targets: readonly MountTarget[]): void {
  for (const { path, isFile } of targets) {
    const place = join(folder, path)
    mkdirSync(isFile ? dirname(place) : place, { recursive: true, mode: 0o755 })
    if (isFile) writeFileSync(place, '', { mode: 0o644 })
  }
}

/** What is not there is the OCI runtime's to refuse. */
const isNoDirectory = (source: string) => statSync(source, { throwIfNoEntry: false })?.isDirectory() === false
