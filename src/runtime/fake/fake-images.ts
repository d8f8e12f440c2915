// The image service of the fake runtime: images are names that are there, can be pulled, or are nowhere.
import { createHash } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type * as cri from '../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../cri/cri-error.ts'

export interface FakeImage {
  name: string
  size?: number
  /** The numeric user it runs as; a name goes into `username`. */
  uid?: number
  username?: string
}

export interface PullRule {
  takesMs?: number
  /** Thrown instead of an image. */
  fails?: Error
}

export interface FakeImagesOptions {
  clock: Clock
  /** 'all': every image that is asked for is there already. */
  present: readonly FakeImage[] | 'all'
  called(method: 'pullImage' | 'removeImage', name: string): void
}

type Images = Pick<
  cri.ImageService,
  'listImages' | 'imageStatus' | 'pullImage' | 'removeImage' | 'imageFsInfo'
>

export class FakeImages implements Images {
  /** How pulls of a name go; any other name is pulled at once. */
  readonly pulls = new Map<string, PullRule>()
  /** Names that are nowhere, neither here nor in a registry. */
  readonly missing = new Set<string>()
  readonly #images = new Map<string, cri.Image>()
  readonly #options: FakeImagesOptions

  constructor(options: FakeImagesOptions) {
    this.#options = options
    if (options.present !== 'all') for (const image of options.present) this.add(image)
  }

  add({ name, size = 1_000_000, uid, username = '' }: FakeImage): cri.Image {
    const id = `sha256:${createHash('sha256').update(name).digest('hex')}`
    const user = uid === undefined ? {} : { uid: { value: uid } }
    const image = { id, repoTags: [name], repoDigests: [], size, username, pinned: false, ...user }
    this.#images.set(id, image)
    return image
  }

  /** By name or id. */
  find(text: string): cri.Image | undefined {
    if (this.missing.has(text)) return undefined
    const found = [...this.#images.values()].find(({ repoTags }) => repoTags.includes(text))
    const known = this.#images.get(text) ?? found
    return known ?? (this.#options.present === 'all' && text ? this.add({ name: text }) : undefined)
  }

  async listImages({ filter }: cri.ListImagesRequest): Promise<cri.ListImagesResponse> {
    const wanted = filter?.image?.image
    const images = wanted ? [this.find(wanted)] : [...this.#images.values()]
    return { images: images.filter(image => image !== undefined) }
  }

  async imageStatus({ image }: cri.ImageStatusRequest): Promise<cri.ImageStatusResponse> {
    const found = this.find(image?.image ?? '')
    return { ...(found && { image: found }), info: {} } as cri.ImageStatusResponse
  }

  async pullImage({ image }: cri.PullImageRequest, signal?: AbortSignal): Promise<cri.PullImageResponse> {
    const name = image?.image ?? ''
    if (!name) throw new CriError(CRI_CODE.invalidArgument, 'the request names no image')
    this.#options.called('pullImage', name)
    const { takesMs = 0, fails } = this.pulls.get(name) ?? {}
    if (takesMs > 0) await this.#options.clock.sleep(takesMs, signal)
    if (fails) throw fails
    if (this.missing.has(name)) throw new CriError(CRI_CODE.notFound, `manifest for ${name} not found: 404`)
    return { imageRef: (this.find(name) ?? this.add({ name })).id }
  }

  async removeImage({ image }: cri.RemoveImageRequest): Promise<cri.RemoveImageResponse> {
    const found = this.find(image?.image ?? '')
    if (!found) return {}
    this.#options.called('removeImage', found.repoTags[0]!)
    this.#images.delete(found.id)
    return {}
  }

  async imageFsInfo(): Promise<cri.ImageFsInfoResponse> {
    const images = [...this.#images.values()]
    const usage: cri.FilesystemUsage = {
      timestamp: this.#options.clock.now() * 1e6,
      fsId: { mountpoint: '/fake/images' },
      usedBytes: { value: images.reduce((sum, { size }) => sum + size, 0) },
      inodesUsed: { value: images.length },
    }
    return { imageFilesystems: [usage], containerFilesystems: [] }
  }
}
