import { createHash, timingSafeEqual } from 'node:crypto'
import type { UserInfo } from '../../api/request.ts'
import type { Authenticator } from './authenticator.ts'

/** Fixed bearer tokens. Compared by digest in constant time; a token that is not here is another's matter. */
export function staticTokenAuthenticator(users: ReadonlyMap<string, UserInfo>): Authenticator {
  const entries = [...users].map(([token, user]) => ({ digest: digestOf(token), user }))
  return ({ bearerToken }) => {
    if (bearerToken === undefined) return undefined
    const digest = digestOf(bearerToken)
    return entries.find(entry => timingSafeEqual(entry.digest, digest))?.user
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
