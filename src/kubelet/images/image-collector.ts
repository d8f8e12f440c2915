// Removes images that no container uses: those unused for too long, and the longest unused when the disk fills up.
// Which ones is choose-images.ts's judgement. Upstream: pkg/kubelet/images/image_gc_manager.go.
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { ImageService, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { ANNOTATION } from '../runtime-view/cri-labels.ts'
import {
  bytesToFree,
  type Disk,
  type ImagePolicy,
  outdated,
  removable,
  type TrackedImage,
} from './choose-images.ts'

const EVERY_MS = 300_000

/** Local clusters leave the disk to its owner (docs/decisions/0006): only eviction's thresholds count. */
export const defaultImagePolicy: ImagePolicy = {
  highPercent: 100,
  lowPercent: 80,
  minimumAgeMs: 120_000,
  maximumAgeMs: 0,
}

export interface ImageCollectorParts {
  runtime: Pick<RuntimeService, 'listContainers'> & Pick<ImageService, 'listImages' | 'removeImage'>
  policy: ImagePolicy
  /** The disk that holds the images; undefined when it cannot be told. */
  disk: () => Disk | undefined
  /** A warning about the node, as an event. */
  warn: (reason: string, message: string) => void
  clock: Clock
  log: Log
}

export class ImageCollector {
  readonly #parts: ImageCollectorParts
  readonly #tracked = new Map<string, TrackedImage>()
  #failedBefore = false

  constructor(parts: ImageCollectorParts) {
    this.#parts = parts
  }

  /** A look every five minutes, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, warn } = this.#parts
    while (!signal.aborted) {
      await this.collect().then(
        () => {
          this.#failedBefore = false
        },
        error => {
          if (this.#failedBefore) warn('ImageGCFailed', (error as Error).message)
          this.#failedBefore = true
        },
      )
      await clock.sleep(EVERY_MS, signal).catch(() => {})
    }
  }

  /** Throws when the disk stays too full. */
  async collect(): Promise<void> {
    const { policy, disk, clock, warn } = this.#parts
    const now = clock.now()
    const images = removable(await this.#look(now), now, policy)
    const tooOld = outdated(images, now, policy)
    for (const image of tooOld) await this.#remove(image)
    const found = disk()
    if (!found) return
    if (found.capacity === 0) {
      warn('InvalidDiskCapacity', 'invalid capacity 0 on image filesystem')
      throw new Error('invalid capacity 0 on image filesystem')
    }
    const wanted = bytesToFree(found, policy)
    if (wanted <= 0) return
    const freed = await this.#free(
      images.filter(image => !tooOld.includes(image)),
      wanted,
    )
    if (freed >= wanted) return
    const text = `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`
    warn('FreeDiskSpaceFailed', text)
    throw new Error(text)
  }

  /** All that may go, whatever the disk says. */
  async removeUnused(): Promise<void> {
    const now = this.#parts.clock.now()
    const images = removable(await this.#look(now), now, this.#parts.policy)
    await this.#free(images, Number.POSITIVE_INFINITY)
  }

  /** Answers how many bytes are free now that were not. */
  async #free(images: readonly TrackedImage[], wanted: number): Promise<number> {
    let freed = 0
    for (const image of images) {
      if (freed >= wanted) break
      if (await this.#remove(image)) freed += image.size
    }
    return freed
  }

  async #remove({ id }: TrackedImage): Promise<boolean> {
    try {
      await this.#parts.runtime.removeImage({ image: { image: id } })
      this.#tracked.delete(id)
      return true
    } catch (error) {
      this.#parts.log.warn({ error, image: id }, 'an unused image could not be removed')
      return false
    }
  }

  async #look(now: number): Promise<TrackedImage[]> {
    const { runtime } = this.#parts
    const [{ images }, { containers }] = await Promise.all([
      runtime.listImages({}),
      runtime.listContainers({}),
    ])
    const used = new Set(
      containers.flatMap(({ imageId, imageRef, image, annotations }) => [
        imageId,
        imageRef,
        image.image,
        ...volumeImages(annotations),
      ]),
    )
    const present = new Set(images.map(({ id }) => id))
    for (const id of this.#tracked.keys()) if (!present.has(id)) this.#tracked.delete(id)
    for (const { id, size, pinned, repoTags, repoDigests } of images) {
      const isUsed = [id, ...repoTags, ...repoDigests].some(name => used.has(name))
      const { firstSeenAt = now, lastUsedAt = 0 } = this.#tracked.get(id) ?? {}
      this.#tracked.set(id, { id, size, pinned, firstSeenAt, lastUsedAt: isUsed ? now : lastUsedAt })
    }
    return [...this.#tracked.values()]
  }
}

const volumeImages = (annotations: Readonly<Record<string, string>> = {}): string[] =>
  JSON.parse(annotations[ANNOTATION.volumeImages] ?? '[]') as string[]
