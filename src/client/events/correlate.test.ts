import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  COMBINED_PREFIX,
  type Correlated,
  type CorrelatorState,
  correlate,
  type EventDraft,
  newCorrelatorState,
} from './correlate.ts'
import { timeOf } from './subject.ts'

const MINUTE = 60_000

interface Told {
  at?: number
  message?: string
  reason?: string
  type?: string
  object?: string
  fieldPath?: string
  host?: string
}

function draft({
  at = 0,
  message = 'Started',
  reason = 'Started',
  type = 'Normal',
  object = 'web',
  fieldPath,
  host = 'n1',
}: Told): EventDraft {
  return {
    metadata: { name: `${object}.${at.toString(16)}`, namespace: 'default' },
    involvedObject: {
      kind: 'Pod',
      namespace: 'default',
      name: object,
      uid: object,
      ...(fieldPath && { fieldPath }),
    },
    reason,
    message,
    type,
    source: { component: 'kubelet', host },
    firstTimestamp: timeOf(at),
    lastTimestamp: timeOf(at),
    count: 1,
    reportingComponent: 'kubelet',
    reportingInstance: host,
  }
}

function tell(state: CorrelatorState, told: Told): Correlated {
  const now = told.at ?? 0
  return correlate(state, draft(told), { now, nanos: BigInt(now) * 1_000_000n })
}

function brief(correlated: Correlated): string {
  if (correlated.do === 'skip') return 'skip'
  const { event } = correlated
  const combined = event.message?.startsWith(COMBINED_PREFIX) ? ' combined' : ''
  return `${correlated.do} ${event.count}${combined}`
}

const repeat = (count: number, make: (i: number) => Told) => Array.from({ length: count }, (_, i) => make(i))

const cases: Record<string, { told: Told[]; last: string }> = {
  'the first of its kind is created': { told: [{}], last: 'create 1' },
  'the same again is one more count of it': { told: [{}, { at: 1_000 }, { at: 2_000 }], last: 'patch 3' },
  'another message is another event': { told: [{}, { message: 'other' }], last: 'create 1' },
  'another reason is another event': { told: [{}, { reason: 'Killing' }], last: 'create 1' },
  'another type is another event': { told: [{}, { type: 'Warning' }], last: 'create 1' },
  'another container is another event': { told: [{}, { fieldPath: 'spec.containers{a}' }], last: 'create 1' },
  'another object is another event': { told: [{}, { object: 'db' }], last: 'create 1' },
  'another source is another event': { told: [{}, { host: 'n2' }], last: 'create 1' },
  'nine messages of one kind are nine events': {
    told: repeat(9, i => ({ message: `m${i}` })),
    last: 'create 1',
  },
  'the tenth stands for all of them': {
    told: repeat(10, i => ({ message: `m${i}` })),
    last: 'create 1 combined',
  },
  'further ones are counted by it': {
    told: repeat(12, i => ({ message: `m${i}` })),
    last: 'patch 3 combined',
  },
  'ten minutes apart they are told one by one': {
    told: [...repeat(10, i => ({ message: `m${i}` })), { at: 10 * MINUTE + 1, message: 'late' }],
    last: 'create 1',
  },
  'just within ten minutes they are still combined': {
    told: [...repeat(10, i => ({ message: `m${i}` })), { at: 10 * MINUTE, message: 'late' }],
    last: 'patch 2 combined',
  },
  'a source may tell 25 events of an object at once': { told: repeat(25, () => ({})), last: 'patch 25' },
  'and no more': { told: repeat(26, () => ({})), last: 'skip' },
  'of another object it may': { told: [...repeat(26, () => ({})), { object: 'db' }], last: 'create 1' },
  'of another type it may': { told: [...repeat(26, () => ({})), { type: 'Warning' }], last: 'create 1' },
  'five minutes later it may tell one more, with the true count': {
    told: [...repeat(30, () => ({})), { at: 5 * MINUTE }],
    last: 'patch 31',
  },
  'but not two': { told: [...repeat(30, () => ({})), { at: 5 * MINUTE }, { at: 5 * MINUTE }], last: 'skip' },
}

for (const [title, { told, last }] of Object.entries(cases)) {
  test(`correlation: ${title}`, () => {
    const state = newCorrelatorState()
    const results = told.map(one => brief(tell(state, one)))
    assert.equal(results.at(-1), last)
  })
}

test('correlation: a count keeps the name and the first time of the event it counts', () => {
  const state = newCorrelatorState()
  tell(state, { at: 1_000 })
  const again = tell(state, { at: 65_000 })
  assert.ok(again.do === 'patch')
  assert.equal(again.event.metadata.name, 'web.3e8')
  assert.equal(again.event.firstTimestamp, '1970-01-01T00:00:01Z')
  assert.deepEqual(again.patch, { count: 2, lastTimestamp: '1970-01-01T00:01:05Z', message: 'Started' })
})

test('correlation: a combined event says so, and has a name and times of its own', () => {
  const state = newCorrelatorState()
  const results = repeat(10, i => ({ at: i * 1_000, message: `m${i}` })).map(told => tell(state, told))
  const last = results.at(-1)!
  assert.ok(last.do === 'create')
  assert.equal(last.event.message, '(combined from similar events): m9')
  assert.equal(last.event.metadata.name, `web.${(9_000_000_000).toString(16)}`)
  assert.deepEqual([last.event.firstTimestamp, last.event.lastTimestamp], [timeOf(9_000), timeOf(9_000)])
  assert.deepEqual(last.event.source, { component: 'kubelet', host: 'n1' })
})
