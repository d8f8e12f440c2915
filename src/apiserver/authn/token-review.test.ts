import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../base/manual-clock.ts'
import { generateEcKeyPair } from '../../base/x509/certificate.ts'
import { ServiceAccountTokens } from './service-account-tokens.ts'
import { tokenReviewer } from './token-review.ts'

const bound = new ServiceAccountTokens({
  privateKey: generateEcKeyPair().privateKey,
  clock: new ManualClock(),
  find: async () => undefined,
})
const review = tokenReviewer(bound, [
  ({ bearerToken }) => (bearerToken === 'abcdef' ? { name: 'robot', groups: ['robots'] } : undefined),
])

test('a token without audiences is for the server’s own', async () => {
  const user = { name: 'robot', groups: ['robots', 'system:authenticated'] }
  assert.deepEqual(await review('abcdef', []), { user, audiences: [bound.issuer] })
  assert.deepEqual(await review('abcdef', ['other', bound.issuer]), { user, audiences: [bound.issuer] })
  await assert.rejects(() => review('abcdef', ['other']), /is invalid for the target audiences \[other\]/)
})

test('a token that is nobody’s is refused', async () => {
  await assert.rejects(() => review('fedcba', []), /invalid bearer token/)
})
