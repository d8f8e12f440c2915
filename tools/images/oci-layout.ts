// Writes one image as an OCI image layout: a layer, its config, a manifest, and an index entry per name.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import type { ImageRecipe } from './recipe.ts'

interface Descriptor {
  mediaType: string
  digest: string
  size: number
}

const EPOCH = '1970-01-01T00:00:00Z'
const LARGEST_LAYER_BYTES = 1 << 30

/** `versions` names what is inside, for the label that tells an image's origin. */
export function writeLayout(
  layout: string,
  root: string,
  recipe: ImageRecipe,
  versions: readonly string[],
): void {
  mkdirSync(path.join(layout, 'blobs/sha256'), { recursive: true })
  const tar = tarOf(root)
  const layer = writeBlob(layout, gzipSync(tar, { level: 6 }), 'application/vnd.oci.image.layer.v1.tar+gzip')
  const config = writeJson(
    layout,
    imageConfig(recipe, versions, digestOf(tar)),
    'application/vnd.oci.image.config.v1+json',
  )
  const manifest = writeJson(
    layout,
    { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [layer] },
    'application/vnd.oci.image.manifest.v1+json',
  )
  const manifests = recipe.names.map(name => ({
    ...manifest,
    annotations: { 'io.containerd.image.name': fullName(name) },
  }))
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }
  writeFileSync(path.join(layout, 'index.json'), JSON.stringify(index))
  writeFileSync(path.join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
}

/** Names that tell their registry stand as they are. */
const fullName = (name: string) => (name.includes('/') ? name : `docker.io/library/${name}`)

function imageConfig(recipe: ImageRecipe, versions: readonly string[], diffId: string) {
  const labels = {
    'org.opencontainers.image.title': recipe.name,
    'org.opencontainers.image.vendor': 'Kubernode, from Debian packages',
    'org.opencontainers.image.source': versions.join(', '),
    ...recipe.config.Labels,
  }
  return {
    created: EPOCH,
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { ...recipe.config, Labels: labels },
    rootfs: { type: 'layers', diff_ids: [diffId] },
    history: [{ created: EPOCH, created_by: `tools/images ${recipe.name}` }],
  }
}

function tarOf(root: string): Buffer {
  const fixed = ['--sort=name', '--mtime=@0', '--numeric-owner', '--owner=0', '--group=0', '--format=gnu']
  return execFileSync('tar', [...fixed, '-C', root, '-cf', '-', '.'], { maxBuffer: LARGEST_LAYER_BYTES })
}

function writeJson(layout: string, value: object, mediaType: string): Descriptor {
  return writeBlob(layout, Buffer.from(JSON.stringify(value)), mediaType)
}

function writeBlob(layout: string, content: Buffer, mediaType: string): Descriptor {
  const digest = digestOf(content)
  writeFileSync(path.join(layout, 'blobs/sha256', digest.slice('sha256:'.length)), content)
  return { mediaType, digest, size: content.length }
}

const digestOf = (content: Buffer) => `sha256:${createHash('sha256').update(content).digest('hex')}`
