// Status 200 to 399 is a success; a redirect to another host ends there, as a warning. Upstream: pkg/probe/http.
import type { Container, HTTPGetAction } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import { handlerPort } from './handler-port.ts'
import {
  type HttpAnswer,
  type HttpTarget,
  httpGet,
  httpTarget,
  requestHeaders,
  urlText,
} from './http-request.ts'
import { failed, type ProbeOutcome } from './probe-outcome.ts'

const USER_AGENT = 'kube-probe/1.36'
const MAX_REDIRECTS = 10
const TIMED_OUT = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'

/** Throws when the port cannot be told. */
export async function httpProbe(
  action: HTTPGetAction,
  container: Container,
  podIP: string,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const port = handlerPort(action.port, container)
  const target = httpTarget(action.scheme ?? 'HTTP', action.host || podIP, port, action.path || '/')
  const done = new AbortController()
  const within = AbortSignal.any([signal, done.signal])
  const follow = new Follower(target, action)
  const timeout = clock.sleep(timeoutMs, within).then(() => failed(`Get "${follow.shown}": ${TIMED_OUT}`))
  const answered = follow.get(within)
  for (const one of [timeout, answered]) one.catch(() => {})
  try {
    return await Promise.race([answered, timeout])
  } finally {
    done.abort()
  }
}

/** Follows redirects on the same host, as Go's client with upstream's RedirectChecker. */
class Follower {
  readonly #first: HttpTarget
  readonly #action: HTTPGetAction
  #current: HttpTarget
  #redirects = 0

  constructor(target: HttpTarget, action: HTTPGetAction) {
    this.#first = target
    this.#current = target
    this.#action = action
  }

  /** The URL under way: the first whole, later ones as the server wrote them. */
  get shown(): string {
    return urlText(this.#current)
  }

  async get(signal: AbortSignal): Promise<ProbeOutcome> {
    for (;;) {
      const headers = requestHeaders(this.#action.httpHeaders ?? [], USER_AGENT, this.#current)
      let answer: HttpAnswer
      try {
        answer = await httpGet(this.#current, headers, signal)
      } catch (error) {
        signal.throwIfAborted()
        return failed(`Get "${this.shown}": ${(error as Error).message}`)
      }
      const next = this.#redirect(answer)
      if (!next || next.host !== this.#first.host) return outcomeOf(answer)
      this.#current = next
      if (++this.#redirects >= MAX_REDIRECTS)
        return failed(`Get "${answer.location}": stopped after ${MAX_REDIRECTS} redirects`)
    }
  }

  #redirect({ status, location }: HttpAnswer): HttpTarget | undefined {
    if (![301, 302, 303, 307, 308].includes(status) || !location) return undefined
    const url = URL.canParse(location, this.shown) ? new URL(location, this.shown) : undefined
    if (!url || !/^https?:$/.test(url.protocol)) return undefined
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
    return httpTarget(url.protocol.slice(0, -1), host, port, url.pathname + url.search)
  }
}

function outcomeOf({ status, body }: HttpAnswer): ProbeOutcome {
  if (status < 200 || status >= 400) return failed(`HTTP probe failed with statuscode: ${status}`)
  if (status < 300) return { result: 'success', output: body }
  return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` }
}
