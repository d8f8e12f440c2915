import type { Container, ImageVolumeSource, Pod } from '../../api/types/core-v1.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** An image's files, read-only. Nothing is prepared here: its pull is a container's start, its mount the runtime's. */
export const image: VolumePlugin = {
  name: 'image',
  setUp: () => Promise.resolve({ hostPath: '' }),
}

/** The images that a container mounts, by the names of their volumes. */
export function volumeImagesOf({ spec }: Pod, container: Container): Map<string, ImageVolumeSource> {
  const mounted = new Set((container.volumeMounts ?? []).map(({ name }) => name))
  return new Map(
    (spec.volumes ?? []).flatMap(({ name, image }) => (image && mounted.has(name) ? [[name, image]] : [])),
  )
}
