import type { Node } from '../../api/types/core-v1.ts'
import { MAX_SCORE, type Plugin } from '../framework.ts'
import type { NodeInfo } from '../state/node-info.ts'

const MIN_BYTES = 23 * 1024 * 1024
const MAX_BYTES_PER_CONTAINER = 1000 * 1024 * 1024

interface Wanted {
  /** Image name → share of the nodes that have it. */
  spread: ReadonlyMap<string, number>
  /** One per container; an image that no node has is left out. */
  images: readonly string[]
  /** Most that counts. */
  maxBytes: number
}

/** Prefers nodes that hold the Pod's images already, weighed by how widely an image is spread. Upstream: imagelocality. */
export const imageLocality: Plugin<unknown, Wanted> = {
  name: 'ImageLocality',
  weight: 1,
  prepareScore(pod, _feasible, { nodes }) {
    const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
    const images = containers.map(({ image }) => normalizedImageName(image ?? ''))
    const spread = spreadOf(new Set(images), nodes)
    if (spread.size === 0) return 'skip'
    return {
      state: {
        spread,
        images: images.filter(name => spread.has(name)),
        maxBytes: MAX_BYTES_PER_CONTAINER * containers.length,
      },
    }
  },
  score(_pod, { node }, { spread, images, maxBytes }) {
    const sizes = imageSizes(node)
    const sum = images.reduce(
      (bytes, name) => bytes + Math.floor((sizes.get(name) ?? 0) * spread.get(name)!),
      0,
    )
    const counted = Math.min(Math.max(sum, MIN_BYTES), maxBytes) - MIN_BYTES
    return Math.floor((MAX_SCORE * counted) / (maxBytes - MIN_BYTES))
  },
}

function spreadOf(names: ReadonlySet<string>, nodes: readonly NodeInfo[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { node } of nodes) {
    if (!node.status.images?.length) continue
    const sizes = imageSizes(node)
    for (const name of names) if (sizes.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  for (const [name, count] of counts) counts.set(name, count / nodes.length)
  return counts
}

const NONE: ReadonlyMap<string, number> = new Map()
const cache = new WeakMap<object, ReadonlyMap<string, number>>()

/** Bytes by name. */
function imageSizes({ status: { images } }: Node): ReadonlyMap<string, number> {
  if (!images?.length) return NONE
  const known = cache.get(images)
  if (known) return known
  const sizes = new Map<string, number>()
  for (const { names, sizeBytes } of images) for (const name of names ?? []) sizes.set(name, sizeBytes ?? 0)
  cache.set(images, sizes)
  return sizes
}

/** 'nginx' → 'nginx:latest', as the kubelet reports images with a tag. */
function normalizedImageName(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
}
