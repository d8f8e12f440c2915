// The CRI's ImageService over the image store.
import type { PassiveClock } from '../../base/clock.ts'
import type * as cri from '../cri/cri.generated.ts'
import type { ImageRecord } from './images/image-lookup.ts'
import type { ImageStore } from './images/image-store.ts'
import { standsIn } from './images/stand-in.ts'

export class NativeImages
  implements
    Pick<cri.ImageService, 'listImages' | 'imageStatus' | 'pullImage' | 'removeImage' | 'imageFsInfo'>
{
  readonly #store: ImageStore
  readonly #directory: string
  readonly #clock: PassiveClock

  constructor(store: ImageStore, directory: string, clock: PassiveClock) {
    this.#store = store
    this.#directory = directory
    this.#clock = clock
  }

  async listImages({ filter }: cri.ListImagesRequest): Promise<cri.ListImagesResponse> {
    const wanted = filter?.image?.image
    if (!wanted) return { images: this.#store.list().map(toCri) }
    const image = this.#store.find(wanted)
    return { images: image ? [toCri(image)] : [] }
  }

  async imageStatus({ image }: cri.ImageStatusRequest): Promise<cri.ImageStatusResponse> {
    const found = image?.image ? this.#store.find(image.image) : undefined
    return { ...(found && { image: toCri(found) }), info: {} } as cri.ImageStatusResponse
  }

  async pullImage(
    { image, auth }: cri.PullImageRequest,
    signal?: AbortSignal,
  ): Promise<cri.PullImageResponse> {
    const name = image?.image ?? ''
    try {
      const record = await this.#store.pull(name, { ...(auth && { auth }), ...(signal && { signal }) })
      return { imageRef: record.id }
    } catch (error) {
      const present = this.#store.find(name)
      if (!present || !standsIn(present, error)) throw error
      return { imageRef: present.id }
    }
  }

  async removeImage({ image }: cri.RemoveImageRequest): Promise<cri.RemoveImageResponse> {
    if (image?.image && this.#store.find(image.image)) await this.#store.remove(image.image)
    return {}
  }

  async imageFsInfo(): Promise<cri.ImageFsInfoResponse> {
    const { bytes, inodes } = this.#store.fsInfo()
    const usage: cri.FilesystemUsage = {
      timestamp: this.#clock.now() * 1e6,
      fsId: { mountpoint: this.#directory },
      usedBytes: { value: bytes },
      inodesUsed: { value: inodes },
    }
    return { imageFilesystems: [usage], containerFilesystems: [] }
  }

  /** Not part of the CRI: takes images from an archive or layout on disk. */
  async load(path: string, names: readonly string[]): Promise<string[]> {
    const records = await this.#store.loadArchive(path, names)
    return records.flatMap(({ repoTags }) => repoTags)
  }
}

function toCri(image: ImageRecord): cri.Image {
  const user = image.config.User?.split(':')[0] ?? ''
  const numeric = /^\d+$/.test(user)
  return {
    id: image.id,
    repoTags: image.repoTags,
    repoDigests: image.repoDigests,
    size: image.size,
    ...(numeric && { uid: { value: Number(user) } }),
    username: numeric ? '' : user,
    pinned: false,
  }
}
