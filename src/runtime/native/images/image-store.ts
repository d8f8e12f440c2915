// Images on disk: pulled from registries or loaded from archives, unpacked, named, listed and removed. One process
// at a time owns a store directory; a lock sees to that. It knows nothing of containers but who uses an image.
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import { ConfigFiles } from './config-files.ts'
import { ImageError } from './image-error.ts'
import { ImageIndexFile } from './image-index.ts'
import { ImageLoader } from './image-loader.ts'
import { findImageId, forgetImage, type ImageRecord, imageRecord, storedName } from './image-lookup.ts'
import type { FetchedImage } from './image-pull.ts'
import { ImagePuller, type PullOptions } from './image-puller.ts'
import { LayerStore } from './layer-store.ts'
import { tryLock } from './layer-syscalls.ts'
import { hostPlatform, type ImageDocument, type Platform, parseDocument } from './media-types.ts'
import { formatReference, parseReference } from './reference.ts'
import type { RegistriesConfig } from './registry-config.ts'

export type { ImageRecord } from './image-lookup.ts'
export type { PullOptions } from './image-puller.ts'

export interface ImageStoreOptions {
  directory: string
  log: Log
  clock: Clock
  registries?: RegistriesConfig
  /** Ids of containers, running or not, whose root is this image: they protect it from removal. */
  containersUsing?(imageId: string): readonly string[]
  platform?: Platform
}

export interface RemovedImage {
  /** Names that no longer exist. */
  untagged: string[]
  /** The id, when the image itself is gone. */
  deleted?: string
}

export class ImageStore {
  readonly #options: ImageStoreOptions
  readonly #lock: number
  readonly #index: ImageIndexFile
  readonly #layers: LayerStore
  readonly #configs: ConfigFiles
  readonly #puller: ImagePuller
  readonly #loader: ImageLoader
  /** Adding and removing images change several files: one at a time. */
  #changing: Promise<unknown> = Promise.resolve()
  #isClosed = false
  /** Uses since the last write of the index; written along with it. */
  readonly #lastUses = new Map<string, number>()

  private constructor(options: ImageStoreOptions, lock: number, index: ImageIndexFile, configs: ConfigFiles) {
    this.#options = options
    this.#lock = lock
    this.#index = index
    this.#configs = configs
    const layers = new LayerStore(options.directory, index)
    this.#layers = layers
    const { clock, registries = {}, platform = hostPlatform() } = options
    const add = (image: FetchedImage, names: readonly string[]) => this.#add(image, names)
    const name = (id: string, names: readonly string[]) => this.#name(id, names)
    this.#puller = new ImagePuller({ layers, index, clock, registries, platform, add, name })
    this.#loader = new ImageLoader({ layers, index, platform, add, name })
  }

  /**
   * Opens the store, creating it if need be, and removes what a crash left half-made.
   * Throws ImageError of kind Busy while another process has it open.
   */
  static async open(options: ImageStoreOptions): Promise<ImageStore> {
    const configs = await ConfigFiles.open(path.join(options.directory, 'configs'))
    const lock = takeLock(path.join(options.directory, 'lock'))
    try {
      const store = new ImageStore(options, lock, await ImageIndexFile.open(options.directory), configs)
      await store.#clean()
      return store
    } catch (error) {
      closeSync(lock)
      throw error
    }
  }

  /** Ends pulls, writes down last uses, and gives the directory free. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all([this.#puller.close(), this.#loader.close()])
    await this.#layers.settled()
    await this.#changing
    // On a full disk it is forgotten when images were used last; nothing else.
    if (this.#lastUses.size > 0)
      await this.#commitUses().catch(error =>
        this.#options.log.warn({ error }, 'when images were used last could not be written'),
      )
    closeSync(this.#lock)
  }

  async #clean(): Promise<void> {
    await this.#dropBroken()
    await this.#layers.clean()
    await this.#configs.keepOnly(Object.keys(this.#index.data.images))
  }

  /** Images whose layers or config are gone (removed by hand) are forgotten: pulling again mends them. */
  async #dropBroken(): Promise<void> {
    const { images, layers } = this.#index.data
    const missing = Object.keys(layers).filter(
      id => !existsSync(path.join(this.#options.directory, 'layers', layers[id]!.directory)),
    )
    const broken = Object.keys(images).filter(
      id =>
        !this.#configs.has(id) || images[id]!.layers.some(layer => !layers[layer] || missing.includes(layer)),
    )
    if (broken.length === 0 && missing.length === 0) return
    this.#options.log.warn({ images: broken }, 'images with missing files are forgotten')
    await this.#index.commit(draft => {
      for (const id of missing) delete draft.layers[id]
      for (const id of broken) forgetImage(draft, id)
    })
  }

  /** All images, the one added last first. */
  list(): ImageRecord[] {
    return Object.keys(this.#index.data.images)
      .map(id => this.#record(id))
      .sort((a, b) => b.addedAt - a.addedAt || (a.id < b.id ? -1 : 1))
  }

  /** Finds by name (`busybox`, `x@sha256:…`), id, or an unambiguous beginning of an id. */
  find(text: string): ImageRecord | undefined {
    const id = findImageId(this.#index.data, text)
    return id === undefined ? undefined : this.#record(id)
  }

  /** As find, but throws NotFound. */
  get(text: string): ImageRecord {
    const found = this.find(text)
    if (!found) throw new ImageError('NotFound', `image ${JSON.stringify(text)}: not found`)
    return found
  }

  /** The image's config document as it was published. */
  async inspect(text: string): Promise<ImageDocument> {
    return parseDocument(await this.#configs.read(this.get(text).id))
  }

  /** Directories for overlay's `lowerdir`, the uppermost first. */
  lowerDirectories(imageId: string): string[] {
    return this.get(imageId)
      .layers.map(diffId => this.#layers.pathOf(diffId))
      .reverse()
  }

  /** Notes that a container was made of the image; kept across restarts except after a crash. */
  markUsed(imageId: string): void {
    this.#lastUses.set(imageId, this.#options.clock.now())
  }

  /** Images that no container uses and that were idle for `idleMs` at `now`, the least recently used first. */
  candidates(now: number, idleMs = 0): ImageRecord[] {
    return this.list()
      .filter(image => this.#usersOf(image.id).length === 0 && now - image.lastUsedAt >= idleMs)
      .sort((a, b) => a.lastUsedAt - b.lastUsedAt || a.addedAt - b.addedAt)
  }

  /** What unpacked layers take, from their tar headers: no walk over the disk. */
  fsInfo(): { bytes: number; inodes: number } {
    const layers = Object.values(this.#index.data.layers)
    return {
      bytes: layers.reduce((sum, layer) => sum + layer.bytes, 0),
      inodes: layers.reduce((sum, layer) => sum + layer.inodes, 0),
    }
  }

  /**
   * Makes sure that the image is what the registry has under this name now. Pulls of one name with the same
   * credentials are joined. Throws ImageError worded as containerd's, ImageReferenceError for a name that is none.
   */
  pull(text: string, options: PullOptions = {}): Promise<ImageRecord> {
    return this.#puller.pull(text, options)
  }

  /**
   * Loads all images of an OCI layout (directory or tar) or a `docker save`. `names` replaces the names in an
   * archive of one image. Quick when they are there already.
   */
  loadArchive(source: string, names: readonly string[] = []): Promise<ImageRecord[]> {
    return this.#loader.load(source, names)
  }

  /** Gives an image another name. Throws NotFound and ImageReferenceError. */
  async tag(existing: string, name: string): Promise<ImageRecord> {
    const { id } = this.get(existing)
    return (await this.#name(id, [formatReference(parseReference(name))]))!
  }

  /**
   * Removes a name, and the image with it when that was its last tag; by id removes the image with all names.
   * Throws NotFound, and InUse when the image would go although containers use it.
   */
  async remove(text: string): Promise<RemovedImage> {
    return this.#alone(() => this.#remove(text))
  }

  async #remove(text: string): Promise<RemovedImage> {
    const image = this.get(text)
    const name = storedName(text)
    const others = image.repoTags.filter(tag => tag !== name)
    if (name && image.repoTags.includes(name) && others.length > 0) {
      await this.#index.commit(draft => delete draft.names[name])
      return { untagged: [name] }
    }
    const users = this.#usersOf(image.id)
    if (users.length > 0) {
      throw new ImageError('InUse', `image used by ${users.join(', ')}: image is in use by a container`)
    }
    await this.#index.commit(draft => forgetImage(draft, image.id))
    this.#lastUses.delete(image.id)
    await this.#configs.remove(image.id)
    await this.#layers.dropUnused()
    return { untagged: [...image.repoTags, ...image.repoDigests], deleted: image.id }
  }

  #add(image: FetchedImage, names: readonly string[]): Promise<ImageRecord> {
    return this.#alone(() => this.#addNow(image, names))
  }

  async #addNow(image: FetchedImage, names: readonly string[]): Promise<ImageRecord> {
    await this.#configs.write(image.id, image.configContent)
    const now = this.#options.clock.now()
    const { document } = image
    await this.#index.commit(draft => {
      draft.images[image.id] = {
        layers: document.rootfs.diff_ids,
        size: image.size,
        config: document.config ?? {},
        platform: { os: document.os, architecture: document.architecture },
        ...(document.created && { created: document.created }),
        addedAt: draft.images[image.id]?.addedAt ?? now,
        lastUsedAt: draft.images[image.id]?.lastUsedAt ?? now,
      }
      for (const digest of image.manifestDigests) draft.manifests[digest] = image.id
      for (const name of names) draft.names[name] = image.id
    })
    return this.#record(image.id)
  }

  /** Adds names to an image; undefined when it has been removed meanwhile. */
  async #name(id: string, names: readonly string[]): Promise<ImageRecord | undefined> {
    const data = this.#index.data
    if (!data.images[id]) return undefined
    if (names.every(name => data.names[name] === id)) return this.#record(id)
    const present = await this.#index.commit(draft => {
      if (!draft.images[id]) return false
      for (const name of names) draft.names[name] = id
      return true
    })
    return present ? this.#record(id) : undefined
  }

  #alone<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(change)
    this.#changing = done.catch(() => {})
    return done
  }

  async #commitUses(): Promise<void> {
    await this.#index.commit(draft => {
      for (const [id, at] of this.#lastUses) {
        const image = draft.images[id]
        if (image) image.lastUsedAt = at
      }
    })
    this.#lastUses.clear()
  }

  #record(id: string): ImageRecord {
    const record = imageRecord(this.#index.data, id)
    return { ...record, lastUsedAt: this.#lastUses.get(id) ?? record.lastUsedAt }
  }

  #usersOf(imageId: string): readonly string[] {
    return this.#options.containersUsing?.(imageId) ?? []
  }
}

function takeLock(file: string): number {
  const fd = openSync(file, 'a+', 0o600)
  if (tryLock(fd)) {
    writeFileSync(file, String(process.pid))
    return fd
  }
  closeSync(fd)
  throw new ImageError('Busy', `the image store is in use by process ${readFileSync(file, 'utf8')}`)
}
