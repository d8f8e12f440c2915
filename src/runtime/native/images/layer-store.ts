// Unpacked layers, one directory per diff id, shared by all images and containers as overlay lower directories.
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { ImageError } from './image-error.ts'
import type { ImageIndexFile } from './image-index.ts'
import { syncFileSystem } from './layer-syscalls.ts'
import { SharedWork } from './shared-work.ts'
import { unpackLayer } from './unpack-layer.ts'

export class LayerStore {
  readonly #directory: string
  readonly #index: ImageIndexFile
  readonly #unpacking = new SharedWork<void>()
  /** Layers that a pull or load relies on before its image is recorded: diff id → how many. */
  readonly #pinned = new Map<string, number>()
  #removing: Promise<void> = Promise.resolve()
  readonly #active = new Set<Promise<void>>()

  constructor(directory: string, index: ImageIndexFile) {
    this.#directory = directory
    this.#index = index
  }

  /** Removes what a crash left half-made. Only at the start, when nothing is under way. */
  async clean(): Promise<void> {
    await rm(path.join(this.#directory, 'ingest'), { recursive: true, force: true })
    await mkdir(path.join(this.#directory, 'ingest'), { recursive: true, mode: 0o700 })
    await mkdir(path.join(this.#directory, 'layers'), { recursive: true, mode: 0o711 })
    await this.dropUnused()
    const known = new Set(Object.values(this.#index.data.layers).map(layer => layer.directory))
    for (const name of await readdir(path.join(this.#directory, 'layers'))) {
      if (!known.has(name))
        await rm(path.join(this.#directory, 'layers', name), { recursive: true, force: true })
    }
  }

  /** A new empty directory for half-made things; it is gone after the next start at the latest. */
  async work(): Promise<string> {
    return mkdtemp(path.join(this.#directory, 'ingest/'))
  }

  pathOf(diffId: string): string {
    const layer = this.#index.data.layers[diffId]
    if (!layer) throw new ImageError('NotFound', `layer ${diffId} is not there: not found`)
    return path.join(this.#directory, 'layers', layer.directory)
  }

  /** Runs `work` while these layers are kept, whether an image uses them yet or not. */
  async keeping<T>(diffIds: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const id of diffIds) this.#pinned.set(id, (this.#pinned.get(id) ?? 0) + 1)
    try {
      return await work()
    } finally {
      for (const id of diffIds) this.#unpin(id)
    }
  }

  #unpin(diffId: string): void {
    const left = this.#pinned.get(diffId)! - 1
    if (left === 0) this.#pinned.delete(diffId)
    else this.#pinned.set(diffId, left)
  }

  has(diffId: string): boolean {
    return this.#index.data.layers[diffId] !== undefined
  }

  /**
   * Unpacks a layer unless it is there; callers that want the same one share the work. `obtain` names the file that
   * holds the layer, downloading it into the given directory if need be.
   */
  async ensure(
    diffId: string,
    obtain: (work: string, signal: AbortSignal) => Promise<string>,
    signal?: AbortSignal,
  ): Promise<void> {
    // A removal that has begun must end first, or its last step could meet the new directory.
    await this.#removing
    if (this.has(diffId)) return
    await this.#unpacking.run(diffId, signal, inner => {
      const work = this.#unpack(diffId, obtain, inner)
      this.#active.add(work)
      const done = () => this.#active.delete(work)
      work.then(done, done)
      return work
    })
  }

  async #unpack(
    diffId: string,
    obtain: (work: string, signal: AbortSignal) => Promise<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const work = await this.work()
    try {
      const file = await obtain(work, signal)
      const root = path.join(work, 'root')
      await mkdir(root, { mode: 0o755 })
      const unpacked = await unpackLayer(createReadStream(file), root, signal)
      if (unpacked.diffId !== diffId) {
        throw new ImageError('Invalid', `wrong diff id calculated on extraction "${unpacked.diffId}"`)
      }
      const directory = await this.#index.commit(draft => String(draft.nextLayer++))
      const home = path.join(this.#directory, 'layers', directory)
      await rename(root, home)
      // A layer that counts as there must still be there, whole, after a power cut.
      await syncFileSystem(home)
      const { bytes, inodes } = unpacked
      await this.#index.commit(draft => {
        draft.layers[diffId] = { directory, bytes, inodes }
      })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }

  /** Resolves when nothing is being unpacked, aborted work cleaned up included. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#active)
    await this.#removing
  }

  /** Removes layers that no image and nothing under way uses. */
  dropUnused(): Promise<void> {
    const done = this.#removing.then(() => this.#dropNow())
    this.#removing = done.catch(() => {})
    return done
  }

  async #dropNow(): Promise<void> {
    const dropped = await this.#index.commit(draft => {
      const used = new Set(Object.values(draft.images).flatMap(image => image.layers))
      const unused = Object.keys(draft.layers).filter(id => !used.has(id) && !this.#pinned.has(id))
      return unused.map(id => {
        const { directory } = draft.layers[id]!
        delete draft.layers[id]
        return directory
      })
    })
    for (const name of dropped) {
      await rm(path.join(this.#directory, 'layers', name), { recursive: true, force: true })
    }
  }
}
