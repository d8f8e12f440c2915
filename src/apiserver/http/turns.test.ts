import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { test } from 'node:test'
import type { KubeObject } from '../../api/kube-object.ts'
import type { RequestOptions } from '../../api/request.ts'
import { SystemClock } from '../../base/clock.ts'
import { oneSeat } from '../flow-control/one-seat.fixture.ts'
import { parseRequestInfo } from './request-info.ts'
import { JANE, startTestServer } from './test-server.ts'
import { leaveWhenBegun, longestWait } from './turns.ts'

/** A check that holds those who ask for it until they are told to go on. */
function slowCheck() {
  const held: (() => void)[] = []
  const arrivals = new EventEmitter()
  const check = async () => {
    const released = new Promise<void>(resolve => held.push(resolve))
    arrivals.emit('one')
    await released
  }
  return { health: { livez: [{ name: 'slow', check }], readyz: [] }, held, arrival: once(arrivals, 'one') }
}

const JANES = { as: { token: JANE } }
const MAX = { headers: { 'Impersonate-User': 'max' } }

test('what is too much is refused in plain text with the time to come back; administrators are served', async () => {
  const { flows, text } = await oneSeat({ type: 'Reject' }, new SystemClock())
  const { health, held, arrival } = slowCheck()
  await using server = await startTestServer({ health, flows })
  const first = server.call('GET', '/livez', MAX)
  await arrival
  const refused = await server.call('GET', '/version', JANES)
  assert.deepEqual(
    [refused.code, refused.headers['retry-after'], refused.headers['content-type'], refused.text],
    [429, '1', 'text/plain; charset=utf-8', 'Too many requests, please try again later.\n'],
  )
  assert.ok(refused.headers['x-kubernetes-pf-prioritylevel-uid'])
  assert.equal((await server.call('GET', '/version')).code, 200)
  held[0]!()
  assert.equal((await first).code, 200)
  assert.equal((await server.call('GET', '/version', JANES)).code, 200)
  const reason = 'reason="concurrency-limit"'
  assert.match(
    await text(),
    new RegExp(`rejected_requests_total\\{priority_level="users",flow_schema="users",${reason}\\} 1\n`),
  )
})

test('one waits for another, and the tables show both to those who may see them', async () => {
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 10 }
  const { flows } = await oneSeat({ type: 'Queue', queuing }, new SystemClock())
  const { health, held, arrival } = slowCheck()
  await using server = await startTestServer({ health, flows })
  const first = server.call('GET', '/livez', MAX)
  await arrival
  let isAnswered = false
  const second = server.call('GET', '/version', JANES).finally(() => {
    isAnswered = true
  })
  const table = '/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1'
  let rows = ''
  while (!rows.includes('jane')) rows = (await server.call('GET', table)).text
  assert.match(rows, /^users, +users, +0, +-1, .*, +max, +get, +\/livez, /m)
  assert.match(rows, /^users, +users, +0, +0, .*, +jane, +get, +\/version, /m)
  assert.equal(isAnswered, false)
  held[0]!()
  assert.deepEqual([(await first).code, (await second).code], [200, 200])
  assert.equal((await server.call('GET', table, JANES)).code, 403)
})

const waits: [url: string, ms: number][] = [
  ['/version', 15_000],
  ['/version?timeout=8s', 2_000],
  ['/version?timeout=10m', 15_000],
  ['/version?timeout=nonsense', 15_000],
  ['/api/v1/pods?watch=1&timeout=8s', 15_000],
]
for (const [url, ms] of waits) {
  test(`${url} waits ${ms} ms at most`, () => {
    const [path = '', search] = url.split('?')
    const query = new URLSearchParams(search)
    assert.equal(longestWait(parseRequestInfo('GET', path, query), query), ms)
  })
}

const begun: [what: string, options: RequestOptions, left: boolean][] = [
  ['a watch', {}, true],
  [
    'a watch that wants all first and is told when it has it',
    { sendInitialEvents: true, allowWatchBookmarks: true },
    false,
  ],
  ['a watch that wants all first and is not told', { sendInitialEvents: true }, true],
]
for (const [what, options, left] of begun) {
  test(`${what} ${left ? 'gives its seat back at once' : 'keeps its seat until then'}`, async () => {
    const { enter } = await oneSeat({ type: 'Reject' }, new SystemClock())
    const turn = enter({ url: '/api/v1/pods?watch=1' })
    const convert = leaveWhenBegun(object => object, options, turn)
    assert.equal(turn.isRunning, !left)
    const event = (annotations = {}) =>
      ({ kind: 'Pod', apiVersion: 'v1', metadata: { annotations } }) as unknown as KubeObject
    convert(event())
    assert.equal(turn.isRunning, !left)
    convert(event({ 'k8s.io/initial-events-end': 'true' }))
    assert.equal(turn.isRunning, false)
  })
}
