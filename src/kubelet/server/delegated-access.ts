// Who asks the kubelet, and whether they may: the API server knows. Answers are remembered for a while.
// Upstream: the kubelet's webhook authentication and authorization, with their default lifetimes.
import { createHash } from 'node:crypto'
import type { UserInfo } from '../../api/request.ts'
import { subjectAccessReviews, tokenReviews } from '../../api/resources.ts'
import type { TokenReview } from '../../api/types/authentication-v1.ts'
import type { SubjectAccessReview } from '../../api/types/authorization-v1.ts'
import type { PassiveClock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'

export interface DelegatedAccessParts {
  client: Client
  clock: PassiveClock
  nodeName: string
}

const TOKEN_MS = 120_000
const ALLOWED_MS = 300_000
const REFUSED_MS = 30_000
const REMEMBERED = 1_024

interface Remembered<T> {
  value: T
  until: number
}

export class DelegatedAccess {
  readonly #parts: DelegatedAccessParts
  readonly #users = new Map<string, Remembered<UserInfo | undefined>>()
  readonly #decisions = new Map<string, Remembered<boolean>>()

  constructor(parts: DelegatedAccessParts) {
    this.#parts = parts
  }

  /** Undefined for a token that is nobody's. */
  userOf(token: string): Promise<UserInfo | undefined> {
    const key = createHash('sha256').update(token).digest('base64')
    return this.#remember(
      this.#users,
      key,
      user => (user ? TOKEN_MS : 0),
      () => this.#review(token),
    )
  }

  allows(user: UserInfo, verb: string, subresource: string): Promise<boolean> {
    const key = JSON.stringify([user.name, user.uid, user.groups, user.extra, verb, subresource])
    const lifetime = (allowed: boolean) => (allowed ? ALLOWED_MS : REFUSED_MS)
    return this.#remember(this.#decisions, key, lifetime, () => this.#ask(user, verb, subresource))
  }

  async #review(token: string): Promise<UserInfo | undefined> {
    const review = { metadata: {}, spec: { token } } as unknown as TokenReview
    const { status } = await this.#parts.client.create(tokenReviews, review)
    const { username, uid, groups = [], extra } = status?.user ?? {}
    if (!status?.authenticated || !username) return undefined
    return { name: username, groups, ...(uid && { uid }), ...(extra && { extra }) }
  }

  async #ask({ name, uid, groups, extra }: UserInfo, verb: string, subresource: string): Promise<boolean> {
    const { client, nodeName } = this.#parts
    const resourceAttributes = { version: 'v1', resource: 'nodes', name: nodeName, verb, subresource }
    const spec = { user: name, groups, ...(uid && { uid }), ...(extra && { extra }), resourceAttributes }
    const review = { metadata: {}, spec } as unknown as SubjectAccessReview
    return (await client.create(subjectAccessReviews, review)).status?.allowed === true
  }

  async #remember<T>(
    known: Map<string, Remembered<T>>,
    key: string,
    lifetimeMs: (value: T) => number,
    find: () => Promise<T>,
  ): Promise<T> {
    const now = this.#parts.clock.now()
    const held = known.get(key)
    if (held && held.until > now) return held.value
    const value = await find()
    known.delete(key)
    known.set(key, { value, until: now + lifetimeMs(value) })
    if (known.size > REMEMBERED) known.delete(known.keys().next().value!)
    return value
  }
}
