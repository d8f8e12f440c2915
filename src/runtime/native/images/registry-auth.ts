// Answers a registry's 401: Basic, or a Bearer token from the token server that the challenge names.
import type { PassiveClock } from '../../../base/clock.ts'
import { bodyText, type HttpTransport } from './http-exchange.ts'
import { explain, ImageError } from './image-error.ts'

/** What the kubelet hands over with a pull; the CRI's AuthConfig. */
export interface RegistryAuth {
  username?: string
  password?: string
  /** base64 of `username:password`, as in a Docker config file. */
  auth?: string
  serverAddress?: string
  /** A refresh token for the token server. */
  identityToken?: string
  /** A bearer token for the registry itself. */
  registryToken?: string
}

export interface Challenge {
  scheme: 'basic' | 'bearer'
  parameters: Record<string, string>
}

/** Parses `WWW-Authenticate`; of several challenges a bearer's comes first. */
export function parseChallenges(header: string | undefined): Challenge[] {
  const challenges: Challenge[] = []
  // Either `key=value` belonging to the challenge before it, or the scheme that begins the next one.
  for (const [, key, quoted, plain, scheme] of (header ?? '').matchAll(
    /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([A-Za-z][\w-]*)/g,
  )) {
    if (scheme !== undefined) {
      const name = scheme.toLowerCase()
      challenges.push({ scheme: name as Challenge['scheme'], parameters: {} })
    } else {
      const last = challenges.at(-1)
      if (last) last.parameters[key!.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain!
    }
  }
  return challenges
    .filter(({ scheme }) => scheme === 'bearer' || scheme === 'basic')
    .sort((a, b) => Number(b.scheme === 'bearer') - Number(a.scheme === 'bearer'))
}

/** User and password of an AuthConfig in any of its forms. */
export function credentialsOf(
  auth: RegistryAuth | undefined,
): { username: string; password: string } | undefined {
  if (auth?.username) return { username: auth.username, password: auth.password ?? '' }
  if (!auth?.auth) return undefined
  const decoded = Buffer.from(auth.auth, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  if (colon === -1)
    throw new ImageError('Invalid', `invalid decoded auth: ${JSON.stringify(decoded.slice(0, 3))}…`)
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1).replace(/\0+$/, '') }
}

/** Tokens last at least this long when the server does not say. */
const LEAST_TOKEN_SECONDS = 60
/** A token is not used in its last seconds: the request that carries it may take some time. */
const TOKEN_MARGIN_MS = 5_000

/** The authorization of requests to one registry on behalf of one pull. */
export class RegistryAuthorizer {
  readonly #auth: RegistryAuth | undefined
  readonly #transport: HttpTransport
  readonly #clock: PassiveClock
  #header: string | undefined
  #validUntil = Number.POSITIVE_INFINITY

  constructor(auth: RegistryAuth | undefined, transport: HttpTransport, clock: PassiveClock) {
    this.#auth = auth
    this.#transport = transport
    this.#clock = clock
    if (auth?.registryToken) this.#header = `Bearer ${auth.registryToken}`
  }

  /** The header for the next request; undefined before the first challenge. */
  get header(): string | undefined {
    return this.#clock.now() < this.#validUntil ? this.#header : undefined
  }

  /**
   * Prepares the header that answers a 401. Throws Denied when there is no answer, or when the answer was given
   * already and refused.
   */
  async answer(
    header: string | undefined,
    scope: string,
    sent: string | undefined,
    signal?: AbortSignal,
  ): Promise<void> {
    const challenges = parseChallenges(header)
    const challenge = challenges[0]
    if (!challenge) throw new ImageError('Denied', 'unexpected status: 401 Unauthorized')
    const refusal = challenge.parameters.error
    if (sent && refusal && refusal !== 'invalid_token') {
      throw new ImageError('Denied', `server message: ${refusal}: authorization failed`)
    }
    if (challenge.scheme === 'basic') this.#answerBasic(sent)
    else await this.#fetchToken(challenge.parameters, scope, signal)
  }

  #answerBasic(sent: string | undefined): void {
    const credentials = credentialsOf(this.#auth)
    if (!credentials) throw new ImageError('Denied', 'authorization failed: no basic auth credentials')
    const header = basic(credentials)
    if (sent === header)
      throw new ImageError('Denied', 'authorization failed: unexpected status: 401 Unauthorized')
    this.#header = header
  }

  async #fetchToken(parameters: Record<string, string>, scope: string, signal?: AbortSignal): Promise<void> {
    if (!parameters.realm)
      throw new ImageError('Denied', 'authorization failed: no realm specified for token auth challenge')
    const wanted = {
      ...(parameters.service && { service: parameters.service }),
      scope: parameters.scope ?? scope,
    }
    const answer = this.#auth?.identityToken
      ? await this.#refresh(parameters.realm, wanted, this.#auth.identityToken, signal)
      : await this.#askToken(parameters.realm, wanted, signal)
    const token = answer.token ?? answer.access_token
    if (typeof token !== 'string' || token === '')
      throw new ImageError('Denied', 'failed to authorize: no token in the response')
    const seconds = Math.max(Number(answer.expires_in) || 0, LEAST_TOKEN_SECONDS)
    this.#header = `Bearer ${token}`
    this.#validUntil = this.#clock.now() + seconds * 1000 - TOKEN_MARGIN_MS
  }

  #askToken(realm: string, wanted: Record<string, string>, signal?: AbortSignal) {
    const credentials = credentialsOf(this.#auth)
    const url = new URL(realm)
    for (const [name, value] of Object.entries(wanted)) url.searchParams.set(name, value)
    const headers = credentials ? { authorization: basic(credentials) } : undefined
    return this.#token(
      url.href,
      { method: 'GET', ...(headers && { headers }) },
      credentials ? 'oauth' : 'anonymous',
      signal,
    )
  }

  #refresh(realm: string, wanted: Record<string, string>, refreshToken: string, signal?: AbortSignal) {
    const form = new URLSearchParams({
      ...wanted,
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: 'kubernode',
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
    return this.#token(realm, { method: 'POST', headers, body: form.toString() }, 'oauth', signal)
  }

  async #token(
    url: string,
    request: { method: 'GET' | 'POST'; headers?: Record<string, string>; body?: string },
    kind: 'oauth' | 'anonymous',
    signal?: AbortSignal,
  ): Promise<Record<string, unknown>> {
    const what = `failed to authorize: failed to fetch ${kind} token`
    try {
      const answer = await this.#transport.exchange(url, { ...request, ...(signal && { signal }) })
      const text = await bodyText(answer)
      if (answer.status >= 200 && answer.status < 300) return JSON.parse(text) as Record<string, unknown>
      const status = `${answer.status} ${answer.body.statusMessage}`
      throw new ImageError('Denied', `unexpected status from ${request.method} request to ${url}: ${status}`)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw explain(what, error)
    }
  }
}

const basic = ({ username, password }: { username: string; password: string }) =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
