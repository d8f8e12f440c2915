// Manifests, indexes and configs as OCI and Docker (schema 2) have them, checked as far as we rely on them.
import { ImageError } from './image-error.ts'

export interface Descriptor {
  mediaType: string
  digest: string
  size: number
  platform?: { os?: string; architecture?: string; variant?: string }
  annotations?: Record<string, string>
}

export interface Manifest {
  mediaType?: string
  config: Descriptor
  layers: Descriptor[]
}

export interface ImageIndex {
  mediaType?: string
  manifests: Descriptor[]
}

/** The `config` object of an image: how to run it. */
export interface ContainerConfig {
  User?: string
  Env?: string[]
  Entrypoint?: string[]
  Cmd?: string[]
  WorkingDir?: string
  StopSignal?: string
  Volumes?: Record<string, object>
  ExposedPorts?: Record<string, object>
  Labels?: Record<string, string>
}

/** The image config document; its digest is the image's id. */
export interface ImageDocument {
  created?: string
  architecture: string
  os: string
  config?: ContainerConfig
  rootfs: { type: string; diff_ids: string[] }
}

export interface Platform {
  os: string
  architecture: string
}

/** Registries choose what to send by this list. */
export const ACCEPTED_MANIFESTS = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  '*/*',
].join(', ')

const SHA256 = /^sha256:[a-f0-9]{64}$/

export const isDigest = (text: unknown): text is string => typeof text === 'string' && SHA256.test(text)

/** This machine's platform in the words of images. */
export function hostPlatform(): Platform {
  return { os: 'linux', architecture: process.arch === 'x64' ? 'amd64' : process.arch }
}

/** Parses a manifest or an index, whichever the bytes are. */
export function parseManifest(content: Buffer): Manifest | ImageIndex {
  const value = parseJson(content, 'manifest') as Partial<Manifest & ImageIndex> & { schemaVersion?: number }
  if (value.schemaVersion === 1) {
    throw new ImageError(
      'Invalid',
      'media type "application/vnd.docker.distribution.manifest.v1+prettyjws" is no longer supported since containerd v2.1',
    )
  }
  if (Array.isArray(value.manifests)) {
    for (const entry of value.manifests) checkDescriptor(entry)
    return value as ImageIndex
  }
  if (!Array.isArray(value.layers) || !value.config)
    throw new ImageError('Invalid', 'the manifest is malformed')
  for (const descriptor of [value.config, ...value.layers]) checkDescriptor(descriptor)
  return value as Manifest
}

export const isIndex = (value: Manifest | ImageIndex): value is ImageIndex => 'manifests' in value

export function parseDocument(content: Buffer): ImageDocument {
  const value = parseJson(content, 'image config') as ImageDocument
  const diffIds: unknown = value.rootfs?.diff_ids
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) {
    throw new ImageError('Invalid', 'the image config names no layers')
  }
  return value
}

/** The entry of an index that this machine can run. */
export function choosePlatform(index: ImageIndex, platform: Platform): Descriptor {
  const candidates = index.manifests.filter(
    entry => entry.annotations?.['vnd.docker.reference.type'] === undefined,
  )
  const fitting = candidates.find(
    ({ platform: its }) => its?.os === platform.os && its.architecture === platform.architecture,
  )
  const chosen = fitting ?? candidates.find(entry => entry.platform === undefined)
  if (chosen) return chosen
  throw new ImageError('NotFound', `no match for platform in manifest: not found`)
}

export type Compression = 'none' | 'gzip' | 'zstd'

/** What a layer's first bytes say; media types are not always right. */
export function detectCompression(start: Buffer): Compression {
  if (start.length >= 2 && start.readUInt16BE(0) === 0x1f8b) return 'gzip'
  if (start.length >= 4 && start.readUInt32LE(0) === 0xfd2fb528) return 'zstd'
  return 'none'
}

function checkDescriptor(descriptor: Descriptor): void {
  if (!isDigest(descriptor?.digest) || !Number.isSafeInteger(descriptor.size) || descriptor.size < 0) {
    throw new ImageError('Invalid', `invalid descriptor: ${JSON.stringify(descriptor)}`)
  }
}

function parseJson(content: Buffer, what: string): object {
  try {
    const value: unknown = JSON.parse(content.toString('utf8'))
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value
  } catch {
    // Said below, the same for every way of being wrong.
  }
  throw new ImageError('Invalid', `the ${what} is not a JSON object`)
}
