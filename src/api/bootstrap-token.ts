// Tokens with which a machine that nobody knows yet asks for a certificate: "abcdef.0123456789abcdef", each kept in a
// Secret of kube-system. Facts of upstream's staging/src/k8s.io/cluster-bootstrap and its authenticator.
import type { Secret } from './types/core-v1.ts'

export const BOOTSTRAP_TOKEN_TYPE = 'bootstrap.kubernetes.io/token'

export interface BootstrapToken {
  id: string
  secret: string
}

export type BootstrapUsage = 'authentication' | 'signing'

export const bootstrapSecretName = (id: string): string => `bootstrap-token-${id}`

/** "ID.SECRET"; undefined for anything else. */
export function parseBootstrapToken(text: string): BootstrapToken | undefined {
  const match = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text)
  return match ? { id: match[1]!, secret: match[2]! } : undefined
}

/** The token that a Secret holds for this use; undefined when it holds none, or none that is good at `now`. */
export function tokenForUse(secret: Secret, usage: BootstrapUsage, now: number): BootstrapToken | undefined {
  const [id, held] = [dataOf(secret, 'token-id'), dataOf(secret, 'token-secret')]
  const isToken = secret.type === BOOTSTRAP_TOKEN_TYPE && !secret.metadata.deletionTimestamp
  if (!isToken || !id || !held || secret.metadata.name !== bootstrapSecretName(id)) return undefined
  if (dataOf(secret, `usage-bootstrap-${usage}`) !== 'true') return undefined
  return expiresAt(secret) <= now ? undefined : { id, secret: held }
}

/** Epoch milliseconds; infinity for a token without an end, 0 for an end that nobody can read. */
export function expiresAt(secret: Secret): number {
  const text = dataOf(secret, 'expiration')
  if (!text) return Number.POSITIVE_INFINITY
  const end = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(end) ? 0 : end
}

/** The groups of whoever shows the token; undefined when one is asked for that no token may give. */
export function groupsOf(secret: Secret): string[] | undefined {
  const more = dataOf(secret, 'auth-extra-groups')?.split(',') ?? []
  const allowed = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
  if (!more.every(group => allowed.test(group))) return undefined
  return [...new Set(['system:bootstrappers', ...more])].sort()
}

const dataOf = ({ data }: Secret, key: string): string | undefined =>
  data?.[key] === undefined ? undefined : Buffer.from(data[key], 'base64').toString()
