// Compact JWS with one key: ES256 or RS256, whichever the key is. Checks signatures, never claims.
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

export type Claims = Record<string, unknown>

export interface TokenKey {
  algorithm: 'ES256' | 'RS256'
  keyId: string
  publicKey: KeyObject
  privateKey: KeyObject
}

/** Throws TypeError for keys that are neither EC P-256 nor RSA. The key id is upstream's: a digest of the SPKI. */
export function tokenKey(privateKey: KeyObject): TokenKey {
  const publicKey = createPublicKey(privateKey)
  const keyId = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  return { algorithm: algorithmOf(privateKey), keyId, publicKey, privateKey }
}

function algorithmOf(key: KeyObject): TokenKey['algorithm'] {
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256'
  throw new TypeError(`tokens are signed with EC P-256 or RSA keys, not ${key.asymmetricKeyType}`)
}

export function signToken(claims: Claims, key: TokenKey): string {
  const input = `${encodePart({ alg: key.algorithm, kid: key.keyId })}.${encodePart(claims)}`
  const signature = sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** The claims when the signature is this key's; undefined for anything else, however malformed. */
export function verifyToken(token: string, key: TokenKey): Claims | undefined {
  const [header = '', payload = '', signature = '', ...more] = token.split('.')
  if (more.length > 0 || decodePart(header)?.alg !== key.algorithm) return undefined
  const isOurs = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key: key.publicKey, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  return isOurs ? decodePart(payload) : undefined
}

/** Reads claims without any check: to see whose token it is. */
export function peekClaims(token: string): Claims | undefined {
  return decodePart(token.split('.')[1] ?? '')
}

function encodePart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decodePart(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Claims) : undefined
  } catch {
    return undefined
  }
}
