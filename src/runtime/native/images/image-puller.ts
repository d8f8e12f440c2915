// Pulls by name: joins callers that want the same, tells them all how far it is, and words failures as containerd.
// What is fetched is recorded by the store that owns this.
import { createHash } from 'node:crypto'
import type { Clock } from '../../../base/clock.ts'
import { HttpTransport } from './http-exchange.ts'
import { explain, ImageError } from './image-error.ts'
import type { ImageIndexFile } from './image-index.ts'
import { type ImageRecord, namesAfterPull } from './image-lookup.ts'
import { type FetchedImage, fetchImage, type PullProgress } from './image-pull.ts'
import type { LayerStore } from './layer-store.ts'
import type { Platform } from './media-types.ts'
import { formatReference, type ImageReference, parseImageName } from './reference.ts'
import type { RegistryAuth } from './registry-auth.ts'
import { RepositoryClient } from './registry-client.ts'
import type { RegistriesConfig, RegistryEndpoint } from './registry-config.ts'
import { SharedWork } from './shared-work.ts'

export interface PullOptions {
  auth?: RegistryAuth
  signal?: AbortSignal
  onProgress?(progress: PullProgress): void
}

export interface PullerOptions {
  layers: LayerStore
  index: ImageIndexFile
  clock: Clock
  registries: RegistriesConfig
  platform: Platform
  /** Records a fetched image under these names. */
  add(image: FetchedImage, names: readonly string[]): Promise<ImageRecord>
  /** Gives an image that is there more names; undefined when it is gone. */
  name(imageId: string, names: readonly string[]): Promise<ImageRecord | undefined>
}

type Listener = (progress: PullProgress) => void

export class ImagePuller {
  readonly #options: PullerOptions
  readonly #pulls = new SharedWork<ImageRecord>()
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #transports = new Map<string, HttpTransport>()
  /** Pulls under way, also those that nobody waits for any more. */
  readonly #active = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  constructor(options: PullerOptions) {
    this.#options = options
  }

  /** Ends what is under way and resolves when it has ended. */
  async close(): Promise<void> {
    this.#closing.abort(new ImageError('Unavailable', 'the image store is closing'))
    for (const transport of this.#transports.values()) transport.close()
    await Promise.allSettled(this.#active)
  }

  /** See ImageStore.pull. */
  async pull(text: string, options: PullOptions): Promise<ImageRecord> {
    const reference = parseImageName(text)
    const name = formatReference(reference)
    // Callers with other credentials must not profit from ours.
    const key = `${name} ${createHash('sha256')
      .update(JSON.stringify(options.auth ?? {}))
      .digest('hex')}`
    const stopListening = this.#listen(key, options.onProgress)
    try {
      return await this.#pulls.run(key, options.signal, signal =>
        this.#during(this.#pull(reference, key, options.auth, signal)),
      )
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason
      throw explain(`failed to pull and unpack image ${JSON.stringify(name)}`, error)
    } finally {
      stopListening()
    }
  }

  async #pull(
    reference: ImageReference,
    key: string,
    auth: RegistryAuth | undefined,
    outer: AbortSignal,
  ): Promise<ImageRecord> {
    const { index, layers, platform, clock, registries } = this.#options
    const signal = AbortSignal.any([outer, this.#closing.signal])
    const transportFor = (endpoint: RegistryEndpoint) => this.#transportFor(endpoint)
    const client = new RepositoryClient({ reference, registries, transportFor, clock, ...(auth && { auth }) })
    const digest = await client.resolve(signal)
    const names = namesAfterPull(reference, digest)
    const known = index.data.manifests[digest]
    const named = known && (await this.#options.name(known, names))
    if (named) return named
    const onProgress = (progress: PullProgress) => {
      for (const listener of this.#listeners.get(key) ?? []) listener(progress)
    }
    return fetchImage(digest, { client, layers, platform, onProgress, signal }, image =>
      this.#options.add(image, names),
    )
  }

  #listen(key: string, listener: Listener | undefined): () => void {
    if (!listener) return () => {}
    const listeners = this.#listeners.get(key) ?? new Set()
    // A wrapper, so that one function given to two pulls is told twice and taken off once.
    const own: Listener = progress => listener(progress)
    this.#listeners.set(key, listeners.add(own))
    return () => {
      listeners.delete(own)
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key)
    }
  }

  async #during<T>(work: Promise<T>): Promise<T> {
    this.#active.add(work)
    try {
      return await work
    } finally {
      this.#active.delete(work)
    }
  }

  #transportFor(endpoint: RegistryEndpoint): HttpTransport {
    const { caFile, certFile, keyFile, skipVerify } = endpoint
    const key = JSON.stringify([caFile, certFile, keyFile, skipVerify])
    const transport = this.#transports.get(key) ?? new HttpTransport(endpoint)
    this.#transports.set(key, transport)
    return transport
  }
}
