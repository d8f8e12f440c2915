// Copies what a terminal or a pipe says. A terminal ends with EIO once nobody has its other side open.
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

/** Until the source has ended and the target has taken everything. That one of them is gone is no failure. */
export async function copyOutput(source: Readable, target: Writable | undefined): Promise<void> {
  if (!target) {
    await untilEnd(source)
    return
  }
  const gone = new AbortController()
  target.once('close', () => gone.abort())
  try {
    for await (const chunk of source) {
      if (target.destroyed) return
      if (!target.write(chunk)) await once(target, 'drain', { signal: gone.signal })
    }
  } catch (error) {
    if (!gone.signal.aborted && !isEnd(error)) throw error
  }
  await new Promise<void>(resolve => {
    if (target.destroyed) return resolve()
    target.once('close', resolve)
    target.end(() => resolve())
  })
}

async function untilEnd(source: Readable): Promise<void> {
  source.resume()
  await new Promise<void>(resolve => {
    source.once('error', () => {})
    source.once('close', resolve)
  })
}

/** ERR_STREAM_PREMATURE_CLOSE: the client hung up, and the source was let go. */
const isEnd = (error: unknown) =>
  ['EIO', 'ERR_STREAM_PREMATURE_CLOSE'].includes((error as NodeJS.ErrnoException).code ?? '')
