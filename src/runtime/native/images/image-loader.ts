// Loads images from archives: OCI layouts and what `docker save` writes. What is loaded is recorded by the store that
// owns this.
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { type ArchivedImage, fullNames, openArchive, readArchive } from './image-archive.ts'
import { ImageError } from './image-error.ts'
import type { ImageIndexFile } from './image-index.ts'
import type { ImageRecord } from './image-lookup.ts'
import type { FetchedImage } from './image-pull.ts'
import type { LayerStore } from './layer-store.ts'
import { type Platform, parseDocument } from './media-types.ts'

export interface LoaderOptions {
  layers: LayerStore
  index: ImageIndexFile
  platform: Platform
  /** Records a loaded image under these names. */
  add(image: FetchedImage, names: readonly string[]): Promise<ImageRecord>
  /** Gives an image that is there more names; undefined when it is gone. */
  name(imageId: string, names: readonly string[]): Promise<ImageRecord | undefined>
}

export class ImageLoader {
  readonly #options: LoaderOptions
  /** Loads under way. */
  readonly #active = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor(options: LoaderOptions) {
    this.#options = options
  }

  /** Ends what is under way and resolves when it has ended. */
  async close(): Promise<void> {
    this.#closing.abort(new ImageError('Unavailable', 'the image store is closing'))
    await Promise.allSettled(this.#active)
  }

  /** See ImageStore.loadArchive. */
  async load(source: string, names: readonly string[]): Promise<ImageRecord[]> {
    const work = this.#loadAll(source, names)
    this.#active.add(work)
    try {
      return await work
    } finally {
      this.#active.delete(work)
    }
  }

  async #loadAll(source: string, names: readonly string[]): Promise<ImageRecord[]> {
    const { layers, platform } = this.#options
    const work = await layers.work()
    try {
      const images = await readArchive(await openArchive(source, path.join(work, 'archive')), platform)
      if (images.length === 0) throw new ImageError('Invalid', `${source} holds no image`)
      if (names.length > 0 && images.length > 1) {
        throw new ImageError(
          'Invalid',
          `${source} holds ${images.length} images: they cannot all have the given name`,
        )
      }
      const records: ImageRecord[] = []
      for (const image of images) {
        records.push(await this.#load(names.length > 0 ? { ...image, names: fullNames(names) } : image))
      }
      return records
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }

  async #load(image: ArchivedImage): Promise<ImageRecord> {
    const { index, layers } = this.#options
    const known = image.manifestDigests.map(digest => index.data.manifests[digest]).find(id => id)
    if (known) {
      const named = await this.#options.name(known, image.names)
      if (named) return named
    }
    const configContent = await image.config()
    const document = parseDocument(configContent)
    const diffIds = document.rootfs.diff_ids
    const files = await image.layers()
    if (files.length !== diffIds.length)
      throw new ImageError('Invalid', 'mismatched image rootfs and manifest layers')
    return layers.keeping(diffIds, async () => {
      for (const [i, diffId] of diffIds.entries()) {
        await layers.ensure(diffId, async () => files[i]!.file, this.#closing.signal)
      }
      const size = files.reduce((sum, file) => sum + file.size, configContent.length)
      const id = `sha256:${createHash('sha256').update(configContent).digest('hex')}`
      const { manifestDigests } = image
      return this.#options.add({ id, document, configContent, size, manifestDigests }, image.names)
    })
  }
}
