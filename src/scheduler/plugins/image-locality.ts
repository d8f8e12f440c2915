import { MAX_SCORE, type Plugin } from '../framework.ts'
import type { NodeInfo } from '../node-info.ts'

const MIN_BYTES = 23 * 1024 * 1024
const MAX_BYTES_PER_CONTAINER = 1000 * 1024 * 1024

/** Prefers nodes that hold the Pod's images already, weighed by how widely an image is spread. Upstream: imagelocality. */
export const imageLocality: Plugin = {
  name: 'ImageLocality',
  weight: 1,
  prepare: (_pod, nodes) => ({ state: spreadOfImages(nodes) }),
  score(pod, node, state) {
    const spread = state as Map<string, number>
    const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
    const sizes = imageSizes(node)
    const sum = containers.reduce((bytes, { image }) => {
      const name = normalizedImageName(image ?? '')
      return bytes + (sizes.get(name) ?? 0) * (spread.get(name) ?? 0)
    }, 0)
    const max = MAX_BYTES_PER_CONTAINER * containers.length
    return Math.floor((MAX_SCORE * (Math.min(Math.max(sum, MIN_BYTES), max) - MIN_BYTES)) / (max - MIN_BYTES))
  },
}

/** Image name → share of nodes that have it. */
function spreadOfImages(nodes: readonly NodeInfo[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const node of nodes)
    for (const name of imageSizes(node).keys()) counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const [name, count] of counts) counts.set(name, count / nodes.length)
  return counts
}

const cache = new WeakMap<object, Map<string, number>>()

function imageSizes({ node }: NodeInfo): Map<string, number> {
  let sizes = cache.get(node)
  if (!sizes) {
    sizes = new Map()
    for (const { names, sizeBytes } of node.status.images ?? [])
      for (const name of names ?? []) sizes.set(name, sizeBytes ?? 0)
    cache.set(node, sizes)
  }
  return sizes
}

/** 'nginx' → 'nginx:latest', as the kubelet reports images with a tag. */
function normalizedImageName(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image
}
