import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitResponse } from '../../api/types/flowcontrol-v1.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { oneSeat } from './one-seat.fixture.ts'
import { TooManyRequests } from './turn.ts'

const NEVER = new AbortController().signal
async function seat(limitResponse: LimitResponse) {
  const clock = new ManualClock(1_000_000_000)
  return { clock, ...(await oneSeat(limitResponse, clock)) }
}

const QUEUE: LimitResponse = { type: 'Queue', queuing: { queues: 8, handSize: 2, queueLengthLimit: 2 } }

test('one that waits runs when the one before it is answered', async () => {
  const { clock, enter, text } = await seat(QUEUE)
  const [first, second] = [enter(), enter()]
  assert.deepEqual([first.isRunning, second.isRunning], [true, false])
  const begun = second.begin(NEVER, 15_000)
  await clock.advance(4_000)
  assert.match(await text(), /current_inqueue_requests\{priority_level="users",flow_schema="users"\} 1\n/)
  first.close()
  await begun
  assert.equal(second.isRunning, true)
  second.close()
  const after = await text()
  assert.match(after, /current_inqueue_requests\{priority_level="users",flow_schema="users"\} 0\n/)
  assert.match(after, /current_executing_requests\{priority_level="users",flow_schema="users"\} 0\n/)
  assert.match(after, /dispatched_requests_total\{priority_level="users",flow_schema="users"\} 2\n/)
  assert.match(
    after,
    /flowcontrol_read_vs_write_current_requests_count\{phase="waiting",request_kind="readOnly"\} 4000000000\n/,
  )
  const waited =
    /request_wait_duration_seconds_(sum|count)\{priority_level="users",flow_schema="users",execute="true"\} (\S+)/g
  assert.deepEqual(
    [...after.matchAll(waited)].map(([, , value]) => value),
    ['4', '2'],
  )
  assert.match(
    after,
    /apiserver_flowcontrol_priority_level_seat_utilization_bucket\{le="1",priority_level="users",phase="executing"\} 4000000000\n/,
  )
})

const refusals: [
  what: string,
  reason: string,
  act: (clock: ManualClock, gone: AbortController) => Promise<void>,
][] = [
  ['whose time in the queue is over', 'time-out', clock => clock.advance(15_000)],
  [
    'whose caller goes away',
    'cancelled',
    async (_, gone) => {
      gone.abort()
      await settle()
    },
  ],
]
for (const [what, reason, act] of refusals) {
  test(`one ${what} leaves the queue`, async () => {
    const { clock, flows, enter, text } = await seat(QUEUE)
    const first = enter()
    const gone = new AbortController()
    const second = enter()
    const refused = assert.rejects(second.begin(gone.signal, 15_000), TooManyRequests)
    await act(clock, gone)
    await refused
    second.close()
    assert.match(await text(), new RegExp(`rejected_requests_total\\{.*"users",reason="${reason}"\\} 1\\n`))
    first.close()
    assert.equal(enter().isRunning, true)
    const table = flows.dump('/debug/api_priority_and_fairness/dump_priority_levels', new URLSearchParams())
    const users = table!.split('\n').find(line => line.startsWith('users,'))
    assert.deepEqual(users!.split(/, +/), [
      'users',
      '0',
      'false',
      'false',
      '0',
      '1',
      '2',
      '1',
      reason === 'time-out' ? '1' : '0',
      reason === 'time-out' ? '0' : '1',
    ])
  })
}

for (const [limitResponse, reason, before] of [
  [{ type: 'Reject' }, 'concurrency-limit', 1],
  [QUEUE, 'queue-full', 5],
] as const) {
  test(`${before} of one user come in, the next is refused: ${reason}`, async () => {
    const { enter, text } = await seat(limitResponse)
    for (let one = 0; one < before; one++)
      void enter()
        .begin(NEVER, 15_000)
        .catch(() => {})
    await assert.rejects(enter().begin(NEVER, 15_000), { retryAfterSeconds: 1 })
    assert.match(await text(), new RegExp(`rejected_requests_total\\{.*"users",reason="${reason}"\\} 1\\n`))
  })
}

test('a watch holds its seat only until it has begun, and counts for writes until it ends', async () => {
  const { enter, text } = await seat(QUEUE)
  const watches = Array.from({ length: 12 }, () => {
    const watch = enter({ url: '/api/v1/pods?watch=1' })
    assert.equal(watch.isRunning, true)
    watch.leave()
    return watch
  })
  enter({ url: '/api/v1/namespaces/a/pods/b', method: 'PUT' }).close()
  assert.match(await text(), /watch_count_samples_sum\{priority_level="users",flow_schema="users"\} 12\n/)
  for (const watch of watches) watch.close()
  enter({ url: '/api/v1/namespaces/a/pods/b', method: 'PUT' }).close()
  assert.match(await text(), /watch_count_samples_sum\{priority_level="users",flow_schema="users"\} 12\n/)
})

test('the seat of a write that many watch is held while they are told', async () => {
  const { clock, enter } = await seat(QUEUE)
  for (let one = 0; one < 12; one++) enter({ url: '/api/v1/pods?watch=1' }).leave()
  enter({ url: '/api/v1/namespaces/a/pods', method: 'POST' }).close()
  const next = enter()
  assert.equal(next.isRunning, false)
  const begun = next.begin(NEVER, 15_000)
  await clock.advance(10)
  await begun
  assert.equal(next.isRunning, true)
})

test('the tables show who runs and who waits', async () => {
  const { flows, enter } = await seat({
    type: 'Queue',
    queuing: { queues: 2, handSize: 1, queueLengthLimit: 9 },
  })
  enter({ url: '/api/v1/namespaces/a/pods/b' })
  enter({ user: 'jane', url: '/apis/apps/v1/deployments' })
  const dump = (what: string, search = '') =>
    flows
      .dump(`/debug/api_priority_and_fairness/dump_${what}`, new URLSearchParams(search))!
      .slice(0, -1)
      .split('\n')
  const requests = dump('requests', 'includeRequestDetails=1')
  assert.deepEqual(
    requests.map(line =>
      line.split(/, +/).slice(0, 2).concat(line.split(/, +/).slice(3, 6), line.split(/, +/).slice(6)),
    ),
    [
      [
        'PriorityLevelName',
        'FlowSchemaName',
        'RequestIndexInQueue',
        'FlowDistingsher',
        'ArriveTime',
        'InitialSeats',
        'FinalSeats',
        'AdditionalLatency',
        'StartTime',
        'UserName',
        'Verb',
        'APIPath',
        'Namespace',
        'Name',
        'APIVersion',
        'Resource',
        'SubResource',
      ],
      [
        'users',
        'users',
        '0',
        'jane',
        '1970-01-12T13:46:40Z',
        '1',
        '0',
        '0s',
        '0001-01-01T00:00:00Z',
        'jane',
        'list',
        '/apis/apps/v1/deployments',
        '',
        '',
        'apps/v1',
        'deployments',
        '',
      ],
      [
        'users',
        'users',
        '-1',
        'jane',
        '1970-01-12T13:46:40Z',
        '1',
        '0',
        '0s',
        '1970-01-12T13:46:40Z',
        'jane',
        'get',
        '/api/v1/namespaces/a/pods/b',
        'a',
        'b',
        'v1',
        'pods',
        '',
      ],
    ],
  )
  assert.equal(requests[0]!.indexOf('FlowSchemaName'), 'PriorityLevelName, '.length)
  assert.equal(dump('queues').filter(line => line.startsWith('users,')).length, 2)
  assert.equal(flows.dump('/debug/pprof', new URLSearchParams()), undefined)
})
