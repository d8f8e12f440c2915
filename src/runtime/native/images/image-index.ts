// What the store knows: images, their names, and unpacked layers, in one small file that is replaced at once. A crash
// leaves either the old or the new state; what no state mentions is removed when the store is opened.
import { open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { PlainError } from '../../../base/plain-error.ts'
import type { ContainerConfig, Platform } from './media-types.ts'

export interface StoredImage {
  /** diff ids, lowest layer first. */
  layers: string[]
  /** Bytes as a registry keeps it: config and compressed layers. */
  size: number
  config: ContainerConfig
  platform: Platform
  created?: string
  /** Epoch milliseconds. */
  addedAt: number
  lastUsedAt: number
}

export interface StoredLayer {
  /** Name inside `layers/`; short, because overlay's mount options must fit into one page. */
  directory: string
  bytes: number
  inodes: number
}

export interface ImageIndexData {
  version: 1
  /** By id: the digest of the config. */
  images: Record<string, StoredImage>
  /** Image id by full name: `docker.io/library/busybox:latest` or `docker.io/library/busybox@sha256:…`. */
  names: Record<string, string>
  /** Image id by the digest of a manifest or index that led to it. */
  manifests: Record<string, string>
  /** By diff id. */
  layers: Record<string, StoredLayer>
  nextLayer: number
}

const EMPTY: ImageIndexData = { version: 1, images: {}, names: {}, manifests: {}, layers: {}, nextLayer: 1 }

export class ImageIndexFile {
  readonly #file: string
  #data: ImageIndexData
  #writing: Promise<unknown> = Promise.resolve()

  private constructor(file: string, data: ImageIndexData) {
    this.#file = file
    this.#data = data
  }

  static async open(directory: string): Promise<ImageIndexFile> {
    const file = path.join(directory, 'index.json')
    return new ImageIndexFile(file, (await readIndex(file)) ?? structuredClone(EMPTY))
  }

  /** The state on disk. Never change it: use `commit`. */
  get data(): Readonly<ImageIndexData> {
    return this.#data
  }

  /** Applies a change; it is visible when it is on disk. Changes run one after the other. */
  commit<T>(change: (draft: ImageIndexData) => T): Promise<T> {
    const run = async () => {
      const draft = structuredClone(this.#data)
      const result = change(draft)
      await this.#write(draft)
      this.#data = draft
      return result
    }
    const done = this.#writing.then(run, run)
    this.#writing = done.catch(() => {})
    return done
  }

  async #write(data: ImageIndexData): Promise<void> {
    const handle = await open(`${this.#file}.new`, 'w', 0o600)
    try {
      await handle.writeFile(JSON.stringify(data))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(`${this.#file}.new`, this.#file)
  }
}

async function readIndex(file: string): Promise<ImageIndexData | undefined> {
  let content: string
  try {
    content = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return JSON.parse(content) as ImageIndexData
  } catch (error) {
    throw new PlainError(
      `The image store's index ${file} is damaged: remove its directory to start with no images.`,
      {
        cause: error,
      },
    )
  }
}
