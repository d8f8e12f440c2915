import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'
import { PodTokens } from './pod-tokens.ts'

const HOUR = 3_600_000
const pod = (uid: string) =>
  ({ metadata: { name: 'web', namespace: 'a', uid }, spec: { serviceAccountName: 'runner' } }) as Pod

/** A server whose tokens are numbered and live for what was asked; it fails when told to. */
function make() {
  const server = { now: 0, fails: false, asked: [] as unknown[] }
  const createSubresource = async (_: unknown, key: unknown, name: string, body: { spec: object }) => {
    if (server.fails) throw new Error('no answer')
    server.asked.push({ key, name, ...body.spec })
    const { expirationSeconds } = body.spec as { expirationSeconds: number }
    const expirationTimestamp = new Date(server.now + expirationSeconds * 1_000).toISOString()
    return { status: { token: `token-${server.asked.length}`, expirationTimestamp } }
  }
  const tokens = new PodTokens({ createSubresource } as unknown as Client)
  const get = (uid: string, now: number, audience?: string) => {
    server.now = now
    return tokens.get(pod(uid), { expirationSeconds: 3_600, ...(audience && { audience }) }, now)
  }
  return { server, tokens, get }
}

test('a token is bound to its pod, and kept for four fifths of its life', async () => {
  const { server, get } = make()
  assert.deepEqual(await get('u', 0).then(({ token, refreshAt }) => [token, refreshAt]), [
    'token-1',
    0.8 * HOUR,
  ])
  assert.equal((await get('u', 0.8 * HOUR - 1)).token, 'token-1')
  assert.equal((await get('u', 0.8 * HOUR)).token, 'token-2')
  assert.deepEqual(server.asked[0], {
    key: { name: 'runner', namespace: 'a' },
    name: 'token',
    audiences: [],
    expirationSeconds: 3_600,
    boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'web', uid: 'u' },
  })
})

test('every pod and every audience has its own', async () => {
  const { get } = make()
  const all = [await get('u', 0), await get('v', 0), await get('u', 0, 'vault'), await get('u', 1)]
  assert.deepEqual(
    all.map(({ token }) => token),
    ['token-1', 'token-2', 'token-3', 'token-1'],
  )
})

test('while no new one can be had the old one is used, until its end', async () => {
  const { server, get } = make()
  await get('u', 0)
  server.fails = true
  assert.deepEqual(await get('u', 0.9 * HOUR), {
    token: 'token-1',
    refreshAt: 0.9 * HOUR + 60_000,
    expiresAt: HOUR,
  })
  await assert.rejects(get('u', HOUR), /no answer/)
  await assert.rejects(get('v', 0), /no answer/)
})

test('a pod that is gone is forgotten', async () => {
  const { tokens, get } = make()
  await get('u', 0)
  tokens.forget('u')
  assert.equal((await get('u', 1)).token, 'token-2')
})
