// Files for a container in a user namespace. Its root is a user of the machine without rights, who must see the image's
// and the volumes' files as its own, and reach them: so they are mounted once more, with their owners mapped
// (mount_setattr(2)), at a place that every user may walk to. What is on the disk keeps its owners.
import {
  chownSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import { rootIds, type UserIds } from '../sandbox/user-namespace.ts'
import { attachMounts, cloneMounts, mapIds, mount, SyscallError, unmountIfMounted } from '../syscall/libc.ts'

export interface MappingRequest {
  ids: UserIds
  /** The file that pins the user namespace. */
  userNamespace: string
}

export class MappedFiles {
  readonly #place: string
  readonly #request: MappingRequest
  #count = 0

  /** `place` is the container's own folder (StateDir.mapped); it is made. */
  constructor(place: string, request: MappingRequest) {
    this.#place = place
    this.#request = request
    mkdirSync(dirname(place), { recursive: true, mode: 0o711 })
    mkdirSync(place, { mode: 0o711 })
  }

  /** A writable layer in `folder` over the image's, whose files belong to the namespace's users. */
  mountRoot(folder: string, lowerDirs: readonly string[]): string {
    const [rootfs, upper, work] = [join(this.#place, 'rootfs'), join(folder, 'upper'), join(folder, 'work')]
    for (const made of [rootfs, upper, work]) mkdirSync(made, { mode: 0o755 })
    const { uid, gid } = rootIds(this.#request.ids)
    chownSync(upper, uid, gid)
    this.withLayers(lowerDirs, layers => {
      const folders = `lowerdir=${layers.join(':')},upperdir=${upper},workdir=${work}`
      mount('overlay', rootfs, 'overlay', 0, folders)
    })
    return rootfs
  }

  /** Lets an overlay be mounted over these folders, with owners as inside. It holds them by itself afterwards. */
  withLayers(folders: readonly string[], mountOver: (mapped: readonly string[]) => void): void {
    const layers = folders.map(folder => this.mapped(folder))
    mountOver(layers)
    for (const layer of layers) unmountIfMounted(layer)
  }

  /** Where the container finds this file or folder of the machine, with owners as inside. */
  mapped(path: string): string {
    return this.#mapped(path, true)
  }

  /** Where it finds what belongs to the namespace's users already. */
  reachable(path: string): string {
    return this.#mapped(path, false)
  }

  #mapped(path: string, changesOwners: boolean): string {
    const target = join(this.#place, String(this.#count++))
    if (statSync(path).isDirectory()) mkdirSync(target, { mode: 0o711 })
    else writeFileSync(target, '')
    const tree = cloneMounts(path)
    try {
      if (changesOwners) this.#mapOwners(tree, path)
      attachMounts(tree, target)
    } finally {
      closeSync(tree)
    }
    return target
  }

  #mapOwners(tree: number, path: string): void {
    const namespace = openSync(this.#request.userNamespace, 'r')
    try {
      mapIds(tree, namespace)
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error
      throw new CriError(
        CRI_CODE.unknown,
        `the owners of files in ${path} cannot be mapped into the pod's user namespace: the file system there does not support it (${error.code})`,
      )
    } finally {
      closeSync(namespace)
    }
  }
}

/** Fine when there is nothing. */
export function removeMapped(place: string): void {
  let names: string[]
  try {
    names = readdirSync(place)
  } catch {
    return
  }
  for (const name of names) {
    const target = join(place, name)
    unmountIfMounted(target)
    // Never what is inside: that would be somebody's volume.
    if (statSync(target).isDirectory()) rmdirSync(target)
    else unlinkSync(target)
  }
  rmdirSync(place)
}
