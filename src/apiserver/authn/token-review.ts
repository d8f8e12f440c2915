// Judges a token for TokenReview as the server judges it for itself, and for which audiences it is good.
import type { UserInfo } from '../../api/request.ts'
import { unauthorized } from '../../api/status-error.ts'
import { type Authenticator, withAuthenticatedGroup } from './authenticator.ts'
import type { ServiceAccountTokens, VerifiedToken } from './service-account-tokens.ts'

export type ReviewToken = (token: string, audiences: readonly string[]) => Promise<VerifiedToken>

/**
 * `others`: tokens that name no audience, and are for the server's own. Upstream: WrapAudienceAgnosticToken.
 * Throws Unauthorized for a token that is nobody's.
 */
export function tokenReviewer(bound: ServiceAccountTokens, others: readonly Authenticator[]): ReviewToken {
  const own = bound.issuer
  return async (token, audiences) => {
    const user = await firstUser(others, token)
    if (!user) {
      const verified = await bound.verify(token, audiences.length > 0 ? audiences : undefined)
      return { ...verified, user: withAuthenticatedGroup(verified.user) }
    }
    if (audiences.length > 0 && !audiences.includes(own)) {
      throw unauthorized(
        `token audiences [${own}] is invalid for the target audiences [${audiences.join(' ')}]`,
      )
    }
    return { user: withAuthenticatedGroup(user), audiences: [own] }
  }
}

async function firstUser(
  authenticators: readonly Authenticator[],
  bearerToken: string,
): Promise<UserInfo | undefined> {
  for (const authenticate of authenticators) {
    const user = await authenticate({ bearerToken })
    if (user) return user
  }
  return undefined
}
