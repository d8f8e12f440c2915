// The places that a container's mounts go to, made in a layer below the image's. The OCI runtime would make those that
// the image lacks in the writable layer, on the disk, for each container anew.
import { lstatSync, mkdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import type { OciMount } from './oci-mounts.ts'

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

/** Makes them below the folder, which nobody else writes to, for a container with these layers (topmost first). */
export function makeMountTargets(
  folder: string,
  targets: readonly MountTarget[],
  layers: readonly string[],
): void {
  for (const { path, isFile } of targets) {
    const place = join(
      folder,
      followLinks(path, one => linkIn(layers, one)),
    )
    mkdirSync(isFile ? dirname(place) : place, { recursive: true, mode: 0o755 })
    if (isFile) writeFileSync(place, '', { mode: 0o644 })
  }
}

const MOST_LINKS = 40

/** Where the path leads inside the container: /var/run is a link in most images. */
export function followLinks(path: string, linkAt: (path: string) => string | undefined): string {
  let resolved = '/'
  let links = 0
  const rest = path.split('/').filter(Boolean)
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const next = posix.join(resolved, name)
    const link = links < MOST_LINKS ? linkAt(next) : undefined
    if (link === undefined) resolved = next
    else {
      links++
      if (link.startsWith('/')) resolved = '/'
      rest.unshift(...link.split('/').filter(Boolean))
    }
  }
  return resolved
}

/** Where the topmost layer that has it has a link. */
function linkIn(layers: readonly string[], path: string): string | undefined {
  for (const layer of layers) {
    const place = join(layer, path)
    const found = lstatSync(place, { throwIfNoEntry: false })
    if (found) return found.isSymbolicLink() ? readlinkSync(place) : undefined
  }
  return undefined
}

/** What is not there is the OCI runtime's to refuse. */
const isNoDirectory = (source: string) => statSync(source, { throwIfNoEntry: false })?.isDirectory() === false
