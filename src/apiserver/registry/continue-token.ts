// The opaque token that links the pages of a list: the revision of the first page and the last key sent.
// Upstream: apiserver storage/continue.go; clients must not look inside, so only the idea is shared.
import { badRequest } from '../../api/status-error.ts'

export interface ContinueToken {
  /** -1: go on at the newest revision, giving up consistency with the pages before. */
  revision: number
  /** Only keys after this one, relative to the list's prefix. */
  after: string
}

const VERSION = 'meta.k8s.io/v1'

export function encodeContinue({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start: after })).toString('base64url')
}

/** Throws BadRequest. */
export function decodeContinue(token: string): ContinueToken {
  let parsed: { v?: unknown; rv?: unknown; start?: unknown }
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
  } catch {
    throw badRequest('continue key is not valid: illegal base64 data or JSON')
  }
  const { v, rv, start } = parsed ?? {}
  if (v !== VERSION)
    throw badRequest(
      `continue key is not valid: server does not recognize this encoded version ${JSON.stringify(v ?? '')}`,
    )
  if (typeof rv !== 'number' || rv === 0)
    throw badRequest(
      'continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    )
  if (typeof start !== 'string' || start.length === 0)
    throw badRequest('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)')
  if (start.includes('..')) throw badRequest(`continue key is not valid: ${start}`)
  return { revision: rv, after: start }
}
