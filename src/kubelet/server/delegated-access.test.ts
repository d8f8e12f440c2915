import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../base/manual-clock.ts'
import { Client } from '../../client/client.ts'
import { DelegatedAccess } from './delegated-access.ts'

function place() {
  const clock = new ManualClock()
  const asked: string[] = []
  const client = new Client(
    async ({ resource, body }) => {
      asked.push(resource)
      const { spec } = body as { spec: { token?: string; user?: string } }
      const status =
        resource === 'tokenreviews'
          ? spec.token === 'good'
            ? { authenticated: true, user: { username: 'robot', uid: '1', groups: ['robots'] } }
            : { user: {}, error: 'invalid bearer token' }
          : { allowed: spec.user === 'robot' }
      return { kind: 'object', code: 201, object: { ...(body as object), status } as never, warnings: [] }
    },
    { name: 'system:node:n', groups: [] },
    'kubelet',
  )
  return { clock, asked, access: new DelegatedAccess({ client, clock, nodeName: 'n' }) }
}

test('a token’s user is remembered for two minutes, a bad token not at all', async () => {
  const { clock, asked, access } = place()
  const robot = { name: 'robot', uid: '1', groups: ['robots'] }
  assert.deepEqual(await access.userOf('good'), robot)
  await clock.advance(119_999)
  assert.deepEqual(await access.userOf('good'), robot)
  assert.equal(asked.length, 1)
  await clock.advance(1)
  await access.userOf('good')
  assert.equal(asked.length, 2)
  assert.equal(await access.userOf('bad'), undefined)
  assert.equal(await access.userOf('bad'), undefined)
  assert.equal(asked.length, 4)
})

test('a right is remembered for five minutes, its lack for half a minute', async () => {
  const { clock, asked, access } = place()
  const [robot, stranger] = ['robot', 'stranger'].map(name => ({ name, groups: [] }))
  const both = async () => [
    await access.allows(robot!, 'get', 'metrics'),
    await access.allows(stranger!, 'get', 'metrics'),
  ]
  assert.deepEqual(await both(), [true, false])
  await clock.advance(29_999)
  await both()
  assert.equal(asked.length, 2)
  await clock.advance(1)
  assert.deepEqual(await both(), [true, false])
  assert.equal(asked.length, 3)
  await access.allows(robot!, 'get', 'stats')
  assert.equal(asked.length, 4)
})
