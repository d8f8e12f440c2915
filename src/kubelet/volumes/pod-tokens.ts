// Tokens of service accounts for the node's pods: asked for once, and again when four fifths of their life are over.
// Upstream: pkg/kubelet/token/token_manager.go.
import { serviceAccounts } from '../../api/resources.ts'
import type { TokenRequest } from '../../api/types/authentication-v1.ts'
import type { Pod, ServiceAccountTokenProjection } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'

const LONGEST_USE_MS = 24 * 3_600_000
const DEFAULT_SECONDS = 3_600
/** One that could not be had anew is asked for again then, as long as the old one is good. */
const RETRY_MS = 60_000

export interface PodToken {
  token: string
  /** Epoch milliseconds. */
  refreshAt: number
  expiresAt: number
}

export class PodTokens {
  readonly #client: Client
  /** By pod uid, then by what was asked for. */
  readonly #kept = new Map<string, Map<string, PodToken>>()

  constructor(client: Client) {
    this.#client = client
  }

  /** Bound to the pod. Throws what the server says, unless an older one is still good. */
  async get(
    pod: Pod,
    { audience = '', expirationSeconds = DEFAULT_SECONDS }: Partial<ServiceAccountTokenProjection>,
    now: number,
  ): Promise<PodToken> {
    const { uid } = pod.metadata
    const ofPod = this.#kept.get(uid) ?? new Map<string, PodToken>()
    this.#kept.set(uid, ofPod)
    const key = `${expirationSeconds} ${audience}`
    const known = ofPod.get(key)
    if (known && now < known.refreshAt) return known
    try {
      const made = await this.#request(pod, audience, expirationSeconds, now)
      ofPod.set(key, made)
      return made
    } catch (error) {
      if (!known || known.expiresAt <= now) throw error
      return { ...known, refreshAt: now + RETRY_MS }
    }
  }

  /** The pod is gone. */
  forget(uid: string): void {
    this.#kept.delete(uid)
  }

  async #request(pod: Pod, audience: string, expirationSeconds: number, now: number): Promise<PodToken> {
    const { name, namespace, uid } = pod.metadata
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: {
        audiences: audience ? [audience] : [],
        expirationSeconds,
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name, uid },
      },
    }
    const account = { name: pod.spec.serviceAccountName || 'default', ...(namespace && { namespace }) }
    const answer = await this.#client.createSubresource<TokenRequest>(serviceAccounts, account, 'token', body)
    const { token, expirationTimestamp } = answer.status
    const expiresAt = Date.parse(expirationTimestamp)
    return { token, expiresAt, refreshAt: now + Math.min((expiresAt - now) * 0.8, LONGEST_USE_MS) }
  }
}
