// Whoever shows a bootstrap token is one of the bootstrappers: good for asking for a certificate and, by RBAC, for
// nothing else. Upstream: plugin/pkg/auth/authenticator/token/bootstrap.
import { timingSafeEqual } from 'node:crypto'
import { bootstrapSecretName, groupsOf, parseBootstrapToken, tokenForUse } from '../../api/bootstrap-token.ts'
import type { Secret } from '../../api/types/core-v1.ts'
import type { PassiveClock } from '../../base/clock.ts'
import type { Authenticator } from './authenticator.ts'
import type { FindBoundObject } from './service-account-tokens.ts'

export interface BootstrapTokensOptions {
  find: FindBoundObject
  clock: PassiveClock
}

/** A token that is not there, over or for another use is nobody's: it is not told apart from a wrong one. */
export function bootstrapTokenAuthenticator({ find, clock }: BootstrapTokensOptions): Authenticator {
  return async ({ bearerToken }) => {
    const shown = bearerToken === undefined ? undefined : parseBootstrapToken(bearerToken)
    if (!shown) return undefined
    const secret = await find('secrets', 'kube-system', bootstrapSecretName(shown.id))
    if (!secret) return undefined
    const held = tokenForUse(secret as unknown as Secret, 'authentication', clock.now())
    if (!held || !isSame(held.secret, shown.secret)) return undefined
    const groups = groupsOf(secret as unknown as Secret)
    return groups && { name: `system:bootstrap:${held.id}`, groups }
  }
}

const isSame = (one: string, other: string) =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
