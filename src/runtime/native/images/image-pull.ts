// One pull: from a name to a recorded image. What is there already is not fetched again.
import path from 'node:path'
import { ImageError } from './image-error.ts'
import type { LayerStore } from './layer-store.ts'
import {
  choosePlatform,
  type Descriptor,
  type ImageDocument,
  isIndex,
  type Manifest,
  type Platform,
  parseDocument,
  parseManifest,
} from './media-types.ts'
import type { RepositoryClient } from './registry-client.ts'

const PARALLEL_LAYERS = 3

/** Bytes of layers; `total` is known from the start, layers that are there already count as done. */
export interface PullProgress {
  done: number
  total: number
}

export interface FetchedImage {
  id: string
  document: ImageDocument
  configContent: Buffer
  size: number
  /** Of the index and the manifest, as far as they were seen. */
  manifestDigests: string[]
}

export interface PullContext {
  client: RepositoryClient
  layers: LayerStore
  platform: Platform
  onProgress(progress: PullProgress): void
  signal: AbortSignal
}

/**
 * Fetches what the digest stands for and hands it to `record` while its layers are kept.
 * Resolves to what `record` returns.
 */
export async function fetchImage<T>(
  digest: string,
  context: PullContext,
  record: (image: FetchedImage) => Promise<T>,
): Promise<T> {
  const { manifest, manifestDigests } = await findManifest(digest, context)
  const configContent = await context.client.smallBlob(manifest.config.digest, context.signal)
  const document = parseDocument(configContent)
  checkRunnable(document, manifest, context.platform)
  const diffIds = document.rootfs.diff_ids
  return context.layers.keeping(diffIds, async () => {
    await fetchLayers(manifest.layers, diffIds, context)
    const size = manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size)
    return record({ id: manifest.config.digest, document, configContent, size, manifestDigests })
  })
}

async function findManifest(digest: string, { client, platform, signal }: PullContext) {
  const manifestDigests = [digest]
  let manifest = parseManifest(await client.manifest(digest, signal))
  while (isIndex(manifest)) {
    const chosen = choosePlatform(manifest, platform).digest
    if (manifestDigests.includes(chosen)) throw new ImageError('Invalid', 'the image index contains itself')
    manifestDigests.push(chosen)
    manifest = parseManifest(await client.manifest(chosen, signal))
  }
  return { manifest, manifestDigests }
}

function checkRunnable(document: ImageDocument, manifest: Manifest, platform: Platform): void {
  if (document.rootfs.diff_ids.length !== manifest.layers.length) {
    throw new ImageError('Invalid', 'mismatched image rootfs and manifest layers')
  }
  const { os, architecture } = document
  if (os !== platform.os || architecture !== platform.architecture) {
    throw new ImageError('NotFound', `no match for platform in manifest ${os}/${architecture}: not found`)
  }
}

async function fetchLayers(
  layers: readonly Descriptor[],
  diffIds: readonly string[],
  context: PullContext,
): Promise<void> {
  const total = layers.reduce((sum, layer) => sum + layer.size, 0)
  let done = 0
  const count = (bytes: number) => {
    done += bytes
    context.onProgress({ done, total })
  }
  const work = [...layers.entries()]
  const stop = new AbortController()
  const signal = AbortSignal.any([context.signal, stop.signal])
  const worker = async () => {
    for (let next = work.shift(); next && !signal.aborted; next = work.shift()) {
      await fetchLayer(next[1], diffIds[next[0]]!, { ...context, signal }, count)
    }
  }
  const workers = Array.from({ length: PARALLEL_LAYERS }, () =>
    // The first failure ends the others: its reason is the one that is told.
    worker().catch(error => {
      stop.abort(error)
      throw error
    }),
  )
  const results = await Promise.allSettled(workers)
  context.signal.throwIfAborted()
  const failed = results.find(result => result.status === 'rejected')
  if (failed) throw stop.signal.reason
}

async function fetchLayer(
  layer: Descriptor,
  diffId: string,
  context: PullContext,
  count: (bytes: number) => void,
): Promise<void> {
  let counted = 0
  const obtain = async (work: string, signal: AbortSignal) => {
    const file = path.join(work, 'layer')
    const onBytes = (bytes: number) => {
      counted += bytes
      count(bytes)
    }
    await context.client.download(layer, file, onBytes, signal)
    return file
  }
  await context.layers.ensure(diffId, obtain, context.signal)
  // What was there, or came by another pull, is done too.
  if (counted < layer.size) count(layer.size - counted)
}
