// A connection that can be opened is a success. Upstream: pkg/probe/tcp.
import { connect } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import { goNetError, joinHostPort } from './go-net-error.ts'
import { failed, type ProbeOutcome } from './probe-outcome.ts'

export async function tcpProbe(
  host: string,
  port: number,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const address = joinHostPort(host, port)
  try {
    await connectWithin(host, port, timeoutMs, clock, signal)
    return { result: 'success', output: '' }
  } catch (error) {
    signal.throwIfAborted()
    return failed(
      error instanceof DialTimeout ? `dial tcp ${address}: i/o timeout` : goNetError(error, address),
    )
  }
}

class DialTimeout extends Error {}

/** Opens a connection and closes it again. `timeoutMs` 0 waits for ever. */
async function connectWithin(
  host: string,
  port: number,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const done = new AbortController()
  const within = AbortSignal.any([signal, done.signal])
  const socket = connect({ host, port, autoSelectFamily: false })
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('error', reject)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done.signal })
  })
  const timeout = clock.sleep(timeoutMs, within).then(() => Promise.reject(new DialTimeout()))
  timeout.catch(() => {})
  try {
    await (timeoutMs > 0 ? Promise.race([opened, timeout]) : opened)
  } finally {
    done.abort()
    socket.on('error', () => {})
    socket.destroy()
  }
}
