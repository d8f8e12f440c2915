import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leases } from '../../api/resources.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { Client } from '../client.ts'
import { MapHandler } from '../map-handler.fixture.ts'
import { runAsLeader } from './leader-election.ts'
import { claimLease } from './lease-claim.ts'

const LEASE = { name: 'work', namespace: 'default' }

class Election {
  readonly clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'))
  /** Who leads, in the order in which they came to. */
  readonly leading = new Set<string>()
  readonly history: string[] = []
  /** Candidates that cannot reach the server. */
  readonly cutOff = new Set<string>()
  /** Candidates whose requests are never answered. */
  readonly stuck = new Set<string>()
  readonly #server = new MapHandler()
  readonly client = new Client(this.#server.handle, { name: 'x', groups: [] })

  join(identity: string): { leave(): Promise<void>; done: Promise<void> } {
    const abort = new AbortController()
    const client = new Client(
      async request => {
        if (this.stuck.has(identity)) return new Promise(() => {})
        if (this.cutOff.has(identity)) throw new Error('the server cannot be reached')
        return this.#server.handle(request)
      },
      { name: identity, groups: [] },
    )
    const lead = async (signal: AbortSignal) => {
      assert.equal(this.leading.size, 0, 'never two at once')
      this.leading.add(identity)
      this.history.push(identity)
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      this.leading.delete(identity)
    }
    const options = { client, clock: this.clock, log: silentLog, lease: LEASE, identity, random: () => 0 }
    const done = runAsLeader(options, lead, abort.signal)
    const leave = async () => {
      abort.abort()
      await settle()
      await done
    }
    return { leave, done }
  }

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      await settle()
      await this.clock.advance(1_000)
    }
    await settle()
  }

  lease() {
    return this.client.get(leases, LEASE)
  }
}

test('the first leads, renews, and hands over when it leaves', async () => {
  const election = new Election()
  const one = election.join('one')
  await election.pass(1)
  const two = election.join('two')
  await election.pass(60)
  assert.deepEqual(election.history, ['one'])
  const { spec } = await election.lease()
  assert.deepEqual(
    [spec.holderIdentity, spec.leaseDurationSeconds, spec.leaseTransitions, spec.acquireTime],
    ['one', 15, 0, '2026-01-01T00:00:00.000000Z'],
  )
  await one.leave()
  await election.pass(3)
  assert.deepEqual(election.history, ['one', 'two'])
  assert.equal((await election.lease()).spec.leaseTransitions, 1)
  await two.leave()
  assert.equal((await election.lease()).spec.holderIdentity, '')
})

test('a leader that is cut off steps down before another one takes over', async () => {
  const election = new Election()
  const one = election.join('one')
  await election.pass(1)
  const two = election.join('two')
  await election.pass(5)
  election.cutOff.add('one')
  await election.pass(12)
  assert.deepEqual([...election.leading], [], 'it has stepped down')
  await election.pass(8)
  assert.deepEqual([...election.leading], ['two'])
  await one.done
  await two.leave()
})

test('a leader whose requests are not answered steps down too', async () => {
  const election = new Election()
  const one = election.join('one')
  await election.pass(1)
  election.stuck.add('one')
  await election.pass(11)
  assert.deepEqual([...election.leading], [])
  assert.deepEqual(election.history, ['one'])
  await election.pass(3)
  await one.done
})

const now = Date.parse('2026-01-01T00:01:00Z')
const held = { holderIdentity: 'other', leaseDurationSeconds: 15, leaseTransitions: 3 }
const me = { identity: 'me', leaseDurationMs: 15_000 }

test('a lease that is held is waited for, by the time since which it was not seen to change', () => {
  assert.deepEqual(claimLease({ spec: held, since: now - 14_000 }, me, now), {
    do: 'wait',
    until: now + 1_000,
  })
  const claim = claimLease({ spec: held, since: now - 15_000 }, me, now)
  assert.ok(claim.do === 'write')
  assert.deepEqual([claim.spec.holderIdentity, claim.spec.leaseTransitions], ['me', 4])
})

test('a lease that nobody holds is taken at once, and one of our own is only renewed', () => {
  const free = claimLease({ spec: { ...held, holderIdentity: '' }, since: now }, me, now)
  assert.ok(free.do === 'write' && free.spec.leaseTransitions === 4)
  const own = { ...held, holderIdentity: 'me', acquireTime: '2026-01-01T00:00:00.000000Z' }
  const renewed = claimLease({ spec: own, since: now }, me, now)
  assert.ok(renewed.do === 'write')
  assert.deepEqual(
    [renewed.spec.leaseTransitions, renewed.spec.acquireTime, renewed.spec.renewTime],
    [3, '2026-01-01T00:00:00.000000Z', '2026-01-01T00:01:00.000000Z'],
  )
})
