// A GET that follows redirects on the same host, as Go's client does with upstream's RedirectChecker(false).
import type { HTTPHeader } from '../../api/types/core-v1.ts'
import {
  type HttpAnswer,
  type HttpTarget,
  httpGet,
  httpTarget,
  requestHeaders,
  urlText,
} from './http-request.ts'

const MAX_REDIRECTS = 10

export class HttpFollower {
  readonly #first: HttpTarget
  readonly #headers: readonly HTTPHeader[]
  readonly #userAgent: string
  #current: HttpTarget
  #redirects = 0

  constructor(target: HttpTarget, headers: readonly HTTPHeader[], userAgent: string) {
    this.#first = target
    this.#current = target
    this.#headers = headers
    this.#userAgent = userAgent
  }

  /** The URL under way: the first whole, later ones as the server wrote them. */
  get shown(): string {
    return urlText(this.#current)
  }

  /** The last answer; a redirect to another host is one. Throws what went wrong as 'Get "URL": WORDS', in Go's words. */
  async get(signal: AbortSignal): Promise<HttpAnswer> {
    for (;;) {
      const answer = await this.#getOnce(signal)
      const next = redirectOf(answer, this.shown)
      if (!next || next.host !== this.#first.host) return answer
      this.#current = next
      if (++this.#redirects >= MAX_REDIRECTS)
        throw new Error(`Get "${answer.location}": stopped after ${MAX_REDIRECTS} redirects`)
    }
  }

  async #getOnce(signal: AbortSignal): Promise<HttpAnswer> {
    const headers = requestHeaders(this.#headers, this.#userAgent, this.#current)
    try {
      return await httpGet(this.#current, headers, signal)
    } catch (error) {
      signal.throwIfAborted()
      throw new Error(`Get "${this.shown}": ${(error as Error).message}`)
    }
  }
}

function redirectOf({ status, location }: HttpAnswer, from: string): HttpTarget | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || !location) return undefined
  const url = URL.canParse(location, from) ? new URL(location, from) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  return httpTarget(url.protocol.slice(0, -1), host, port, url.pathname + url.search)
}
