// Tokens that live in Secrets of the type kubernetes.io/service-account-token: without an end, and good as long as the
// Secret holds them and the account is there. Upstream: pkg/serviceaccount/legacy.go.
import type { KeyObject } from 'node:crypto'
import { unauthorized } from '../../api/status-error.ts'
import type { Secret } from '../../api/types/core-v1.ts'
import type { Authenticator } from './authenticator.ts'
import { type Claims, peekClaims, signToken, type TokenKey, tokenKey, verifyToken } from './json-web-token.ts'
import type { FindBoundObject } from './service-account-tokens.ts'

const ISSUER = 'kubernetes/serviceaccount'
const PREFIX = 'kubernetes.io/serviceaccount'

export interface LegacyTokenOwner {
  namespace: string
  serviceAccount: string
  /** The ServiceAccount's uid. */
  uid: string
  secret: string
}

export class LegacyTokens {
  readonly #key: TokenKey
  readonly #find: FindBoundObject

  constructor({ privateKey, find }: { privateKey: KeyObject; find: FindBoundObject }) {
    this.#key = tokenKey(privateKey)
    this.#find = find
  }

  issue({ namespace, serviceAccount, uid, secret }: LegacyTokenOwner): string {
    const claims: Claims = {
      iss: ISSUER,
      [`${PREFIX}/namespace`]: namespace,
      [`${PREFIX}/secret.name`]: secret,
      [`${PREFIX}/service-account.name`]: serviceAccount,
      [`${PREFIX}/service-account.uid`]: uid,
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
    }
    return signToken(claims, this.#key)
  }

  /** For the union: a bearer token that names this issuer is judged here. */
  readonly authenticate: Authenticator = async ({ bearerToken }) => {
    if (bearerToken === undefined || peekClaims(bearerToken)?.iss !== ISSUER) return undefined
    const claims = verifyToken(bearerToken, this.#key)
    if (!claims) throw unauthorized('invalid bearer token')
    const text = (name: string) => String(claims[`${PREFIX}/${name}`] ?? '')
    const [namespace, name, uid] = [
      text('namespace'),
      text('service-account.name'),
      text('service-account.uid'),
    ]
    await this.#checkSecret(namespace, text('secret.name'), bearerToken)
    const account = await this.#find('serviceaccounts', namespace, name)
    if (!account || account.metadata.uid !== uid) throw unauthorized('service account has been deleted')
    return {
      name: `system:serviceaccount:${namespace}:${name}`,
      uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    }
  }

  async #checkSecret(namespace: string, name: string, token: string): Promise<void> {
    const secret = (await this.#find('secrets', namespace, name)) as unknown as Secret | undefined
    if (!secret || secret.metadata.deletionTimestamp)
      throw unauthorized('service account token has been invalidated')
    const held = Buffer.from(secret.data?.token ?? '', 'base64').toString()
    if (held !== token) throw unauthorized("service account token does not match server's copy")
  }
}
