// A container's log as `kubectl logs` shows it, following the file without polling. Upstream: kuberuntime/logs.
import { watch } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { LogOptions } from '../../api/node-access.ts'
import { parseLogLine } from './cri-log.ts'
import { tailStart } from './tail.ts'

export interface LogFile {
  path: string
  /** Resolves when the container has ended (at once when it has): nothing more will be written. */
  ended: Promise<unknown>
}

const BLOCK = 64 * 1024
const NEWLINE = 0x0a
/** Between a container's exit and its log's last byte lies the log writer. */
const LAST_WORDS_MS = 50

/** Ends with the log, at limitBytes, or when the signal aborts. `now` is for sinceSeconds. */
export async function* readLog(
  file: LogFile,
  options: LogOptions,
  now: number,
  sleep: (ms: number) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const filter = new LineFilter(options, now)
  const wanted = options.tailLines
  const older = wanted === undefined || options.follow ? [] : await rotatedBefore(file.path, wanted)
  for (const path of older) yield* limited(filter, readAll(path, wanted, signal))
  for await (const chunk of limited(filter, followLines(file, options, sleep, signal))) {
    yield chunk
    if (filter.full) return
  }
}

async function* limited(filter: LineFilter, lines: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  for await (const line of lines) {
    const shown = filter.show(line)
    if (shown) yield shown
    if (filter.full) return
  }
}

/** Lines were rotated away while fewer than wanted are left: `N.log.<time>` holds them. */
async function rotatedBefore(path: string, wanted: number): Promise<string[]> {
  const lines = await countLines(path)
  if (lines >= wanted) return []
  const name = basename(path)
  const all = await readdir(dirname(path)).catch(() => [])
  const rotated = all.filter(other => other.startsWith(`${name}.`) && !other.endsWith('.gz')).sort()
  return rotated.slice(-1).map(other => join(dirname(path), other))
}

async function countLines(path: string): Promise<number> {
  let lines = 0
  for await (const _line of readAll(path, undefined, new AbortController().signal)) lines++
  return lines
}

async function* readAll(path: string, tail: number | undefined, signal: AbortSignal): AsyncGenerator<Buffer> {
  const handle = await openLog(path)
  if (!handle) return
  try {
    const from = tail === undefined ? 0 : await tailStart(handle, tail)
    const { lines } = await readLines(handle, from, Buffer.alloc(0), signal)
    yield* lines
  } finally {
    await handle.close()
  }
}

const openLog = (path: string): Promise<FileHandle | undefined> =>
  open(path, 'r').catch(error => {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  })

async function* followLines(
  { path, ended }: LogFile,
  { follow, tailLines }: LogOptions,
  sleep: (ms: number) => Promise<void>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const changes = follow ? new FileChanges(dirname(path), signal) : undefined
  let over = !follow
  void ended.then(async () => {
    await sleep(LAST_WORDS_MS).catch(() => {})
    over = true
    changes?.ring()
  })
  let handle = await openLog(path)
  try {
    let offset = handle && tailLines !== undefined ? await tailStart(handle, tailLines) : 0
    let rest: Buffer = Buffer.alloc(0)
    while (!signal.aborted) {
      // Asked before reading, so that what is written between the two is read in the next round.
      const last = over
      const change = changes?.next()
      handle ??= await openLog(path)
      if (handle) {
        const read = await readLines(handle, offset, rest, signal)
        offset = read.offset
        rest = read.rest
        yield* read.lines
        if (await isReplaced(handle, path)) {
          // Nothing is written to the old file any more, but something may have been since it was read.
          yield* (await readLines(handle, offset, rest, signal)).lines
          await handle.close()
          handle = await openLog(path)
          offset = 0
          rest = Buffer.alloc(0)
          continue
        }
      }
      if (last) break
      await change
    }
    if (rest.length > 0) yield rest
  } finally {
    changes?.close()
    await handle?.close()
  }
}

/** The log was rotated: the name stands for another file now. */
async function isReplaced(handle: FileHandle, path: string): Promise<boolean> {
  const [own, named] = await Promise.all([handle.stat(), stat(path).catch(() => undefined)])
  return named !== undefined && named.ino !== own.ino
}

async function readLines(handle: FileHandle, from: number, before: Buffer, signal: AbortSignal) {
  const lines: Buffer[] = []
  let offset = from
  let rest = before
  while (!signal.aborted) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BLOCK), 0, BLOCK, offset)
    if (bytesRead === 0) break
    offset += bytesRead
    const data = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
    let start = 0
    for (let end = data.indexOf(NEWLINE); end >= 0; end = data.indexOf(NEWLINE, start)) {
      lines.push(data.subarray(start, end))
      start = end + 1
    }
    rest = data.subarray(start)
  }
  return { lines, offset, rest }
}

/** Times, streams and limits: what of the file is shown, and how. Partial entries are joined by leaving out newlines. */
class LineFilter {
  readonly #options: LogOptions
  readonly #since: number
  #left: number
  #midLine: Record<string, boolean> = {}

  constructor(options: LogOptions, now: number) {
    this.#options = options
    this.#since =
      options.sinceTime !== undefined
        ? Date.parse(options.sinceTime)
        : options.sinceSeconds !== undefined
          ? now - options.sinceSeconds * 1000
          : Number.NEGATIVE_INFINITY
    this.#left = options.limitBytes ?? Number.POSITIVE_INFINITY
  }

  get full(): boolean {
    return this.#left <= 0
  }

  show(line: Buffer): Uint8Array | undefined {
    const entry = parseLogLine(line)
    if (!entry) return undefined
    const { stream, timestamps } = this.#options
    if (stream && stream.toLowerCase() !== entry.stream) return undefined
    if (Date.parse(entry.time) < this.#since) return undefined
    const continued = this.#midLine[entry.stream] ?? false
    this.#midLine[entry.stream] = entry.partial
    const parts = [
      ...(timestamps && !continued ? [Buffer.from(`${shownTime(entry.time)} `)] : []),
      entry.text,
      ...(entry.partial ? [] : [Buffer.from('\n')]),
    ]
    const shown = Buffer.concat(parts)
    const cut = shown.length > this.#left ? shown.subarray(0, this.#left) : shown
    this.#left -= cut.length
    return cut
  }
}

/** «The directory's files may have changed», one promise at a time. */
class FileChanges {
  #pending = Promise.withResolvers<void>()
  readonly #close: () => void

  constructor(dir: string, signal: AbortSignal) {
    const ring = () => this.ring()
    signal.addEventListener('abort', ring, { once: true })
    const watcher = watch(dir, { persistent: false }, ring)
    watcher.on('error', ring)
    this.#close = () => {
      watcher.close()
      signal.removeEventListener('abort', ring)
    }
  }

  /** Resolves at the first change after this call. */
  next(): Promise<void> {
    this.#pending = Promise.withResolvers<void>()
    return this.#pending.promise
  }

  ring(): void {
    this.#pending.resolve()
  }

  close(): void {
    this.#close()
  }
}

/**
 * Monitors may write the zone of UTC as an offset, and leave out zeros at the end of the fraction; upstream shows Z, and
 * nanoseconds (RFC3339NanoFixed).
 */
function shownTime(time: string): string {
  const [, seconds, fraction = '', zone = ''] = /^([^.Z+]*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? []
  if (seconds === undefined) return time
  return `${seconds}.${fraction.padEnd(9, '0')}${/^[+-]00:00$/.test(zone) ? 'Z' : zone}`
}
