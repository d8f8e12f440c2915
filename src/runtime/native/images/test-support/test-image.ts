// Small images made in memory for tests, with their manifest, and a way to push them to a registry.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { hostPlatform, type ImageIndex, type Manifest } from '../media-types.ts'
import { type TarEntry, tarOf } from './tar-writer.ts'

export interface TestImage {
  /** Content by digest: layers, config, manifest. */
  blobs: Map<string, Buffer>
  manifest: Buffer
  manifestDigest: string
  configDigest: string
  layerDigests: string[]
  diffIds: string[]
}

export const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`

export function makeImage(
  layers: readonly TarEntry[][],
  config: object = {},
  compress: (tar: Buffer) => Buffer = tar => gzipSync(tar),
): TestImage {
  const blobs = new Map<string, Buffer>()
  const add = (content: Buffer) => {
    const digest = digestOf(content)
    blobs.set(digest, content)
    return { digest, size: content.length }
  }
  const tars = layers.map(layer => tarOf(layer))
  const diffIds = tars.map(digestOf)
  const stored = tars.map(tar => add(compress(tar)))
  const document = { ...hostPlatform(), config, rootfs: { type: 'layers', diff_ids: diffIds } }
  const configBlob = add(Buffer.from(JSON.stringify(document)))
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...configBlob },
      layers: stored.map(layer => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer })),
    }),
  )
  return {
    blobs,
    manifest,
    manifestDigest: add(manifest).digest,
    configDigest: configBlob.digest,
    layerDigests: stored.map(layer => layer.digest),
    diffIds,
  }
}

/** Writes an OCI layout directory holding the image under these names. */
export function writeLayout(directory: string, image: TestImage, names: readonly string[]): void {
  mkdirSync(path.join(directory, 'blobs/sha256'), { recursive: true })
  for (const [digest, content] of image.blobs) {
    writeFileSync(path.join(directory, 'blobs', digest.replace(':', '/')), content)
  }
  const manifests = names.map(name => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: image.manifestDigest,
    size: image.manifest.length,
    annotations: { 'io.containerd.image.name': name },
  }))
  writeFileSync(path.join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  writeFileSync(path.join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

/** The first image of an OCI layout directory. */
export function imageFromLayout(directory: string): TestImage {
  const blob = (digest: string) => readFileSync(path.join(directory, 'blobs', digest.replace(':', '/')))
  const index = JSON.parse(readFileSync(path.join(directory, 'index.json'), 'utf8')) as ImageIndex
  const manifestDigest = index.manifests[0]!.digest
  const manifest = blob(manifestDigest)
  const { config, layers } = JSON.parse(manifest.toString()) as Manifest
  const layerDigests = layers.map(({ digest }) => digest)
  const digests = [manifestDigest, config.digest, ...layerDigests]
  const { rootfs } = JSON.parse(blob(config.digest).toString()) as { rootfs: { diff_ids: string[] } }
  return {
    blobs: new Map(digests.map(digest => [digest, blob(digest)])),
    manifest,
    manifestDigest,
    configDigest: config.digest,
    layerDigests,
    diffIds: rootfs.diff_ids,
  }
}

/** Pushes to a registry that needs no token; `request` adds credentials and trust. */
export async function pushImage(
  base: string,
  repository: string,
  tag: string,
  image: TestImage,
  request: (
    url: string,
    method: string,
    headers: Record<string, string>,
    body?: Buffer,
  ) => Promise<{ location?: string }>,
): Promise<void> {
  for (const [digest, content] of image.blobs) {
    if (digest === image.manifestDigest) continue
    const { location } = await request(`${base}/v2/${repository}/blobs/uploads/`, 'POST', {
      'content-length': '0',
    })
    const target = new URL(location!, base)
    target.searchParams.set('digest', digest)
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(content.length) }
    await request(target.href, 'PUT', headers, content)
  }
  const headers = {
    'content-type': 'application/vnd.oci.image.manifest.v1+json',
    'content-length': String(image.manifest.length),
  }
  await request(`${base}/v2/${repository}/manifests/${tag}`, 'PUT', headers, image.manifest)
}
