// What others need to verify the cluster's service account tokens themselves: OpenID Connect discovery and the keys.
// Upstream: pkg/serviceaccount/openidmetadata.go.
import type { JsonWebKey } from 'node:crypto'
import { JSON_TYPE } from '../http/negotiate.ts'
import type { Answer } from '../http/respond.ts'

export interface OpenIdSource {
  issuer: string
  /** The public keys, as RFC 7517 writes them. */
  keys: readonly JsonWebKey[]
}

const HEADERS = { 'Cache-Control': 'public, max-age=3600' }

/** undefined when the path is none of these. `serverAddress`: HOST:PORT as clients reach the server. */
export function openIdDocument(
  source: OpenIdSource,
  path: string,
  serverAddress: string,
): Answer | undefined {
  if (path === '/.well-known/openid-configuration') {
    const document = {
      issuer: source.issuer,
      jwks_uri: `https://${serverAddress}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set(source.keys.map(key => String(key.alg)))],
    }
    return answer(JSON_TYPE, document)
  }
  return path === '/openid/v1/jwks' ? answer('application/jwk-set+json', { keys: source.keys }) : undefined
}

function answer(contentType: string, document: object): Answer {
  return { code: 200, contentType, body: Buffer.from(JSON.stringify(document)), headers: HEADERS }
}
