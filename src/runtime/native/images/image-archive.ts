// Reads images from files: an OCI layout directory, the same in a tar, or what `docker save` writes.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { ImageError } from './image-error.ts'
import { choosePlatform, type Descriptor, isIndex, type Platform, parseManifest } from './media-types.ts'
import { formatReference, ImageReferenceError, parseReference } from './reference.ts'

/** An image in a directory, ready to be taken over. */
export interface ArchivedImage {
  /** Full names, `docker.io/library/busybox:latest`. */
  names: string[]
  /** Digests of the manifest and of the index above it; empty for `docker save`. */
  manifestDigests: string[]
  /** The config document. */
  config(): Promise<Buffer>
  /** Layer files, lowest first. */
  layers(): Promise<{ file: string; size: number }[]>
}

/** Unpacks an archive file into `work`, or takes a directory as it is; resolves to where the contents are. */
export async function openArchive(source: string, work: string): Promise<string> {
  const stats = await stat(source).catch(() => undefined)
  if (!stats) throw new ImageError('NotFound', `open ${source}: no such file or directory`)
  if (stats.isDirectory()) return source
  await mkdir(work, { recursive: true })
  const tar = spawn(
    'tar',
    ['--extract', `--file=${source}`, '--no-same-owner', '--force-local', '-C', work],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let said = ''
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 2000)
  })
  const [code] = (await once(tar, 'close')) as [number | null]
  if (code !== 0) throw new ImageError('Invalid', `${source} is no image archive: ${said.split('\n')[0]}`)
  return work
}

/** The images inside; `names` replaces the archive's own names when there is one image. */
export async function readArchive(directory: string, platform: Platform): Promise<ArchivedImage[]> {
  const index = await readInside(directory, 'index.json').catch(missing)
  if (index) return readLayout(directory, index, platform)
  const saved = await readInside(directory, 'manifest.json').catch(missing)
  if (saved) return readSaved(directory, saved)
  throw new ImageError(
    'Invalid',
    'the archive holds neither an OCI layout (index.json) nor a docker save (manifest.json)',
  )
}

async function readLayout(directory: string, content: Buffer, platform: Platform): Promise<ArchivedImage[]> {
  const index = parseManifest(content)
  if (!isIndex(index)) throw new ImageError('Invalid', 'index.json is no image index')
  const byDigest = new Map<string, Descriptor[]>()
  for (const entry of index.manifests)
    byDigest.set(entry.digest, [...(byDigest.get(entry.digest) ?? []), entry])
  const saved = await readInside(directory, 'manifest.json').catch(missing)
  const savedNames = saved ? parseSaved(saved).flatMap(entry => entry.RepoTags ?? []) : []
  return Promise.all(
    [...byDigest.values()].map(entries => {
      const own = entries.flatMap(entry => namesOf(entry))
      const fallback = byDigest.size === 1 ? fullNames(savedNames) : []
      return layoutImage(directory, entries[0]!, own.length > 0 ? own : fallback, platform)
    }),
  )
}

async function layoutImage(
  directory: string,
  entry: Descriptor,
  names: string[],
  platform: Platform,
): Promise<ArchivedImage> {
  const manifestDigests = [entry.digest]
  let manifest = parseManifest(await readBlob(directory, entry.digest))
  while (isIndex(manifest)) {
    const chosen = choosePlatform(manifest, platform)
    if (manifestDigests.includes(chosen.digest))
      throw new ImageError('Invalid', 'the image index contains itself')
    manifestDigests.push(chosen.digest)
    manifest = parseManifest(await readBlob(directory, chosen.digest))
  }
  const { config, layers } = manifest
  return {
    names: [...new Set(names)],
    manifestDigests,
    config: () => readBlob(directory, config.digest),
    layers: async () => {
      const files = layers.map(async ({ digest, size }) => ({
        file: await inside(directory, blobPath(digest)),
        size,
      }))
      return Promise.all(files)
    },
  }
}

interface SavedImage {
  Config: string
  RepoTags?: string[] | null
  Layers: string[]
}

function parseSaved(content: Buffer): SavedImage[] {
  const value: unknown = JSON.parse(content.toString('utf8'))
  const valid =
    Array.isArray(value) &&
    value.every(entry => typeof entry?.Config === 'string' && Array.isArray(entry?.Layers))
  if (!valid) throw new ImageError('Invalid', 'manifest.json of the archive is malformed')
  return value as SavedImage[]
}

function readSaved(directory: string, content: Buffer): ArchivedImage[] {
  return parseSaved(content).map(image => ({
    names: fullNames(image.RepoTags ?? []),
    manifestDigests: [],
    config: () => readInside(directory, image.Config),
    layers: () =>
      Promise.all(
        image.Layers.map(async layer => {
          const file = await inside(directory, layer)
          return { file, size: (await stat(file)).size }
        }),
      ),
  }))
}

/** containerd writes the whole name; others put it, or only the tag, into OCI's own annotation. */
function namesOf({ annotations = {} }: Descriptor): string[] {
  const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name']
  return name && /[/:]/.test(name) ? fullNames([name]) : []
}

/** Throws Invalid for a name that is none. */
export function fullNames(names: readonly string[]): string[] {
  try {
    return names.map(name => formatReference(parseReference(name)))
  } catch (error) {
    if (!(error instanceof ImageReferenceError)) throw error
    throw new ImageError('Invalid', `the archive has an image with an invalid name: ${error.message}`)
  }
}

const blobPath = (digest: string) => path.join('blobs', ...digest.split(':'))

/** Manifests and configs are used only when their digest is right; layers are checked when they are unpacked. */
async function readBlob(directory: string, digest: string): Promise<Buffer> {
  const content = await readInside(directory, blobPath(digest))
  const found = `sha256:${createHash('sha256').update(content).digest('hex')}`
  if (found !== digest) throw new ImageError('Invalid', `unexpected digest ${found}, expected ${digest}`)
  return content
}

async function readInside(directory: string, name: string): Promise<Buffer> {
  return readFile(await inside(directory, name))
}

/** The real path of an archive's member; links and names may not lead out of the archive. */
async function inside(directory: string, name: string): Promise<string> {
  const root = await realpath(directory)
  const file = await realpath(path.join(root, name))
  if (file.startsWith(`${root}${path.sep}`)) return file
  throw new ImageError('Invalid', `the archive refers to a file outside of it: ${JSON.stringify(name)}`)
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
