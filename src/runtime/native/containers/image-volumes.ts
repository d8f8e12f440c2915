// Images mounted into a container as volumes (KEP-4639): read-only overlays of their layers, in the container's folder
// and gone with it. Where a path inside the image is wanted, links are followed as long as they stay in the image.
import { existsSync, mkdirSync, readdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { ContainerConfig, Mount } from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError, criNotFound } from '../../cri/cri-error.ts'
import { MS, mount, unmountIfMounted } from '../syscall/libc.ts'
import type { MappedFiles } from './mapped-files.ts'

export interface ImageVolume {
  containerPath: string
  imageId: string
  /** The image's layers, topmost first. */
  lowerDirs: readonly string[]
  subPath: string
}

interface Images {
  find(name: string): { id: string } | undefined
  lowerDirectories(imageId: string): string[]
}

/** The mounts whose source is an image. Throws CriError when one is not there. */
export function imageVolumesOf(mounts: readonly Mount[], images: Images): ImageVolume[] {
  return mounts.flatMap(({ image, containerPath, imageSubPath = '' }) => {
    if (!image?.image) return []
    const found = images.find(image.image)
    if (!found) throw criNotFound('image', image.image)
    const lowerDirs = images.lowerDirectories(found.id)
    return [{ containerPath, imageId: found.id, lowerDirs, subPath: imageSubPath }]
  })
}

/** Mounts them below the container's folder; answers the config with the paths that they are found at. */
export function withImageVolumes(
  config: ContainerConfig,
  bundle: string,
  volumes: readonly ImageVolume[],
  mapped?: MappedFiles,
): ContainerConfig {
  if (volumes.length === 0) return config
  const paths = new Map(
    volumes.map((volume, index) => [volume.containerPath, mountVolume(bundle, volume, index, mapped)]),
  )
  const mounts = config.mounts?.map(one => {
    const hostPath = one.image?.image ? paths.get(one.containerPath) : undefined
    return hostPath === undefined ? one : { ...one, hostPath, readonly: true }
  })
  return { ...config, ...(mounts && { mounts }) }
}

/** Fine when there are none. */
export function unmountImageVolumes(bundle: string): void {
  const parent = join(bundle, FOLDER)
  if (!existsSync(parent)) return
  for (const name of readdirSync(parent)) unmountIfMounted(join(parent, name))
}

const FOLDER = 'image-volumes'

function mountVolume(
  bundle: string,
  { lowerDirs, subPath, imageId }: ImageVolume,
  index: number,
  mapped: MappedFiles | undefined,
): string {
  const parent = join(bundle, FOLDER)
  const root = join(parent, String(index))
  // Without a writable layer an overlay wants two: the lowest is empty.
  const empty = join(parent, 'empty')
  for (const folder of [root, empty]) mkdirSync(folder, { recursive: true, mode: 0o755 })
  const mountOver = (layers: readonly string[]) =>
    mount('overlay', root, 'overlay', MS.readOnly, `lowerdir=${[...layers, empty].join(':')}`)
  if (mapped) mapped.withLayers(lowerDirs, mountOver)
  else mountOver(lowerDirs)
  return subPath === '' ? root : pathInside(root, subPath, imageId)
}

function pathInside(root: string, subPath: string, imageId: string): string {
  const real = existsSync(join(root, subPath)) ? realpathSync(join(root, subPath)) : undefined
  const base = realpathSync(root)
  if (real !== undefined && (real === base || real.startsWith(`${base}/`))) return real
  throw new CriError(CRI_CODE.unknown, `image subpath "${subPath}" does not exist in image volume ${imageId}`)
}
