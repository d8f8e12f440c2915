// Unpacks one layer into a directory that serves as an overlay lower directory: content by system tar, whiteouts
// turned into what overlay understands. Layers without whiteouts take no second pass.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstat, lutimes, mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { PassThrough, type Readable, Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { explain, ImageError } from './image-error.ts'
import { makeOpaque, makeWhiteout } from './layer-syscalls.ts'
import { type Compression, detectCompression } from './media-types.ts'
import { type LayerFacts, TarScan } from './tar-scan.ts'

export interface UnpackedLayer {
  /** sha256 of the uncompressed tar: what the image config calls the layer. */
  diffId: string
  bytes: number
  inodes: number
}

/**
 * tar strips a leading `/`, refuses `..`, and makes links that point outside only after everything else, so no
 * member is written through one. Attributes of overlay itself must not come from an image.
 */
const TAR_FLAGS = [
  '--extract',
  '--file=-',
  '--preserve-permissions',
  '--same-owner',
  '--numeric-owner',
  '--delay-directory-restore',
  '--xattrs',
  '--xattrs-include=*',
  '--xattrs-exclude=trusted.overlay.*',
  '--warning=no-timestamp',
  '--warning=no-unknown-keyword',
]

/** `source` is a layer as registries keep it (plain, gzip or zstd tar); `target` is an empty directory. */
export async function unpackLayer(
  source: Readable,
  target: string,
  signal?: AbortSignal,
): Promise<UnpackedLayer> {
  const scan = new TarScan()
  const diff = createHash('sha256')
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      diff.update(chunk)
      done(null, chunk)
    },
  })
  const { stream, compression } = await peekCompression(source)
  const tar = startTar(target)
  try {
    await pipeline([stream, ...decompressor(compression), hashing, scan, tar.input], { signal })
    await tar.ended
  } catch (error) {
    tar.kill()
    const why = await tar.ended.catch((failure: unknown) => failure)
    // A tar that gives up closes its input first, and the pipe only tells that it broke.
    const brokenPipe = isBrokenPipe(error) && why instanceof ImageError
    if (signal?.aborted) throw signal.reason
    throw brokenPipe ? why : error instanceof ImageError ? error : explain('failed to extract layer', error)
  }
  await applyWhiteouts(target, scan.facts)
  return { diffId: `sha256:${diff.digest('hex')}`, bytes: scan.facts.bytes, inodes: scan.facts.inodes }
}

const isBrokenPipe = (error: unknown) =>
  ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes((error as NodeJS.ErrnoException)?.code ?? '')

function decompressor(compression: Compression): Transform[] {
  if (compression === 'gzip') return [createGunzip()]
  return compression === 'zstd' ? [createZstdDecompress()] : []
}

/** Reads the first bytes and hands back a stream that still begins with them. */
export async function peekCompression(
  source: Readable,
): Promise<{ stream: Readable; compression: Compression }> {
  const stream = new PassThrough()
  const first = await new Promise<Buffer>((resolve, reject) => {
    source.once('error', reject)
    source.once('end', () => resolve(Buffer.alloc(0)))
    source.once('readable', () => resolve((source.read() as Buffer | null) ?? Buffer.alloc(0)))
  })
  if (first.length > 0) stream.write(first)
  pipeline(source, stream).catch(() => {
    // The failure reaches whoever reads `stream`: pipeline destroys it with the error.
  })
  return { stream, compression: detectCompression(first) }
}

function startTar(target: string) {
  const child = spawn('tar', [...TAR_FLAGS, '-C', target], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' },
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 4096) said += text
  })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', error =>
      reject(new ImageError('Invalid', `tar could not be started: ${error.message}`)),
    )
    child.once('close', code => {
      if (code === 0) resolve()
      else
        reject(
          new ImageError(
            'Invalid',
            `failed to extract layer: ${firstLine(said) || `tar ended with ${code}`}`,
          ),
        )
    })
  })
  ended.catch(() => {})
  return { input: untilItCloses(child.stdin), ended, kill: () => child.kill('SIGKILL') }
}

const firstLine = (text: string) =>
  text
    .split('\n')
    .find(line => line !== '' && !line.includes('Removing leading'))
    ?.trim()

/** Turns the markers that tar unpacked as empty files into overlay's whiteouts and opaque directories. */
async function applyWhiteouts(root: string, facts: LayerFacts): Promise<void> {
  if (facts.markers.length === 0) return
  const parents = new Set(facts.markers.map(marker => path.dirname(marker)))
  const times = new Map<string, { atime: Date; mtime: Date }>()
  for (const parent of parents) {
    await refuseLinks(root, parent)
    times.set(parent, await lstat(path.join(root, parent)))
  }
  for (const marker of facts.markers) await rm(path.join(root, marker), { recursive: true, force: true })
  for (const hidden of facts.whiteouts) await hide(path.join(root, hidden))
  for (const directory of facts.opaque) makeOpaque(path.join(root, directory))
  for (const [parent, { atime, mtime }] of times) await lutimes(path.join(root, parent), atime, mtime)
}

/** What the same layer puts back under the name stays; a directory then hides only what lies below. */
async function hide(file: string): Promise<void> {
  const present = await lstat(file).catch(() => undefined)
  if (!present) makeWhiteout(file)
  else if (present.isDirectory()) makeOpaque(file)
}

/** Whiteouts are made by path, so no part of it may be a link that leads elsewhere. */
async function refuseLinks(root: string, directory: string): Promise<void> {
  let at = root
  for (const part of directory.split('/').filter(part => part !== '.' && part !== '')) {
    at = path.join(at, part)
    const stats = await lstat(at).catch(() => undefined)
    if (!stats) await mkdir(at, { mode: 0o755 })
    else if (!stats.isDirectory()) {
      throw new ImageError(
        'Invalid',
        `the layer has a whiteout below ${JSON.stringify(directory)}, which is no directory`,
      )
    }
  }
}

/**
 * Passes everything on for as long as the other side reads. tar stops at the archive's end mark, before the padding
 * behind it: what it does not want is dropped, its exit code tells whether it was content.
 */
function untilItCloses(pipe: Writable): Writable {
  pipe.on('error', () => {})
  const isClosed = () => pipe.destroyed || pipe.writableEnded
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (isClosed()) done()
      else pipe.write(chunk, () => done())
    },
    final(done) {
      if (isClosed()) done()
      else pipe.end(() => done())
    },
    destroy(error, done) {
      pipe.destroy()
      done(error)
    },
  })
}
