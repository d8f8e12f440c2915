// Tokens of service accounts: made for serviceaccounts/token, and recognised when shown to the server again.
// Signatures are remembered; whether the bound objects still live is asked every time.
import { type JsonWebKey, type KeyObject, randomUUID } from 'node:crypto'
import type { KubeObject } from '../../api/kube-object.ts'
import type { UserInfo } from '../../api/request.ts'
import { unauthorized } from '../../api/status-error.ts'
import type { PassiveClock } from '../../base/clock.ts'
import type { TokenIssueRequest, TokenIssuer } from '../token-issuer.ts'
import type { Authenticator } from './authenticator.ts'
import { type Claims, peekClaims, signToken, type TokenKey, tokenKey, verifyToken } from './json-web-token.ts'

export type BoundResource = 'serviceaccounts' | 'pods' | 'secrets' | 'nodes'

/** The newest object, or undefined when it is gone. `namespace` is '' for nodes. */
export type FindBoundObject = (
  resource: BoundResource,
  namespace: string,
  name: string,
) => Promise<KubeObject | undefined>

export interface ServiceAccountTokensOptions {
  privateKey: KeyObject
  /** Also the only audience the server itself accepts. */
  issuer?: string
  find: FindBoundObject
  clock: PassiveClock
}

export interface VerifiedToken {
  user: UserInfo
  /** Audiences of the token that were among those asked for. */
  audiences: string[]
}

/** The claim `kubernetes.io`. */
interface PrivateClaims {
  namespace: string
  serviceaccount: Reference
  pod?: Reference
  secret?: Reference
  node?: Reference
}

interface Reference {
  name: string
  uid: string
}

const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local'
const REMEMBERED_SIGNATURES = 1024
/** An object in deletion keeps its tokens this long, so that its last requests still pass. */
const DELETION_LEEWAY_MS = 60_000

export class ServiceAccountTokens implements TokenIssuer {
  readonly issuer: string
  readonly #key: TokenKey
  readonly #find: FindBoundObject
  readonly #clock: PassiveClock
  /** Claims of tokens whose signature was found good, oldest first. */
  readonly #verified = new Map<string, Claims>()

  constructor({ privateKey, issuer = DEFAULT_ISSUER, find, clock }: ServiceAccountTokensOptions) {
    this.issuer = issuer
    this.#key = tokenKey(privateKey)
    this.#find = find
    this.#clock = clock
  }

  /** The public key, for those who verify tokens themselves. */
  get publicKeys(): JsonWebKey[] {
    const { keyId, algorithm, publicKey } = this.#key
    return [{ use: 'sig', kid: keyId, alg: algorithm, ...publicKey.export({ format: 'jwk' }) }]
  }

  async issue(request: TokenIssueRequest): Promise<{ token: string; expirationTimestamp: string }> {
    const { namespace, serviceAccount, uid, audiences, expirationSeconds } = request
    const now = Math.floor(this.#clock.now() / 1000)
    const exp = now + expirationSeconds
    const claims: Claims = {
      aud: audiences.length > 0 ? audiences : [this.issuer],
      exp,
      iat: now,
      iss: this.issuer,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace,
        ...(await this.#boundClaims(request)),
        serviceaccount: { name: serviceAccount, uid },
      } satisfies PrivateClaims,
      nbf: now,
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
    }
    const expirationTimestamp = new Date(exp * 1000).toISOString().replace('.000Z', 'Z')
    return { token: signToken(claims, this.#key), expirationTimestamp }
  }

  /** For the union: a bearer token that names our issuer is ours to judge. */
  readonly authenticate: Authenticator = async ({ bearerToken }) => {
    if (bearerToken === undefined || peekClaims(bearerToken)?.iss !== this.issuer) return undefined
    return (await this.verify(bearerToken)).user
  }

  /** `audiences`: any of these will do; left out, the server's own. Throws Unauthorized with the reason. */
  async verify(token: string, audiences: readonly string[] = [this.issuer]): Promise<VerifiedToken> {
    const claims = this.#signedClaims(token)
    this.#checkTimes(claims)
    const own = Array.isArray(claims.aud) ? claims.aud.map(String) : [String(claims.aud)]
    const common = own.filter(audience => audiences.includes(audience))
    if (common.length === 0) {
      throw unauthorized(
        `token audiences [${own.join(' ')}] is invalid for the target audiences [${audiences.join(' ')}]`,
      )
    }
    const bound = claims['kubernetes.io'] as PrivateClaims
    await this.#checkBoundObjects(bound)
    return { user: userOf(bound, String(claims.jti ?? '')), audiences: common }
  }

  #signedClaims(token: string): Claims {
    const known = this.#verified.get(token)
    const claims = known ?? verifyToken(token, this.#key)
    if (!claims || claims.iss !== this.issuer || !isPrivate(claims['kubernetes.io'])) {
      throw unauthorized('invalid bearer token')
    }
    if (!known) this.#remember(token, claims)
    return claims
  }

  #remember(token: string, claims: Claims): void {
    const [oldest] = this.#verified.keys()
    if (oldest !== undefined && this.#verified.size >= REMEMBERED_SIGNATURES) this.#verified.delete(oldest)
    this.#verified.set(token, claims)
  }

  #checkTimes({ exp, nbf }: Claims): void {
    const now = this.#clock.now() / 1000
    if (typeof exp !== 'number' || now > exp) throw unauthorized('service account token has expired')
    if (typeof nbf === 'number' && now < nbf) throw unauthorized('service account token is not valid yet')
  }

  async #checkBoundObjects({ namespace, serviceaccount, pod, secret, node }: PrivateClaims): Promise<void> {
    await this.#checkAlive('serviceaccounts', namespace, serviceaccount)
    if (pod) await this.#checkAlive('pods', namespace, pod)
    if (secret) await this.#checkAlive('secrets', namespace, secret)
    // Beside a pod the node is information only.
    if (node && !pod) await this.#checkAlive('nodes', '', node)
  }

  async #checkAlive(resource: BoundResource, namespace: string, { name, uid }: Reference): Promise<void> {
    const found = await this.#find(resource, namespace, name)
    const deletedAt = found?.metadata.deletionTimestamp
    const isGone = deletedAt !== undefined && Date.parse(deletedAt) < this.#clock.now() - DELETION_LEEWAY_MS
    if (!found || found.metadata.uid !== uid || isGone) {
      throw unauthorized(`service account token is bound to ${resource} ${JSON.stringify(name)} that is gone`)
    }
  }

  /** A pod's token also names the node that the pod runs on. */
  async #boundClaims({ namespace, boundObject }: TokenIssueRequest): Promise<Partial<PrivateClaims>> {
    if (!boundObject) return {}
    const reference = { name: boundObject.name, uid: boundObject.uid }
    if (boundObject.kind === 'Secret') return { secret: reference }
    if (boundObject.kind === 'Node') return { node: reference }
    const pod = await this.#find('pods', namespace, boundObject.name)
    const nodeName = (pod?.spec as { nodeName?: string } | undefined)?.nodeName
    const node = nodeName ? await this.#find('nodes', '', nodeName) : undefined
    return { pod: reference, ...(node && { node: { name: node.metadata.name, uid: node.metadata.uid } }) }
  }
}

function isPrivate(value: unknown): value is PrivateClaims {
  const claims = value as Partial<PrivateClaims> | undefined
  return typeof claims?.namespace === 'string' && typeof claims.serviceaccount?.name === 'string'
}

function userOf({ namespace, serviceaccount, pod, node }: PrivateClaims, tokenId: string): UserInfo {
  const prefix = 'authentication.kubernetes.io'
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra: {
      ...(tokenId && { [`${prefix}/credential-id`]: [`JTI=${tokenId}`] }),
      ...(pod && { [`${prefix}/pod-name`]: [pod.name], [`${prefix}/pod-uid`]: [pod.uid] }),
      ...(node && { [`${prefix}/node-name`]: [node.name], [`${prefix}/node-uid`]: [node.uid] }),
    },
  }
}
