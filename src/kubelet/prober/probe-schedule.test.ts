import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Probe } from '../../api/types/core-v1.ts'
import { nextProbe, type ProbeKind, type ProbeTimes } from './probe-schedule.ts'
import { afterOutcome, initialState } from './probe-verdict.ts'

interface Case {
  kind: ProbeKind
  probe?: Probe
  turnAt?: number
  trials?: number
  countedAt?: number
  expected: ReturnType<typeof nextProbe>
}

const tries = (at: number) => ({ at, counts: false })
const counts = (at: number) => ({ at, counts: true })

// The container started at 0.
const cases: Record<string, Case> = {
  'readiness is tried at once': { kind: 'readiness', expected: tries(0) },
  'a young container is tried again soon': { kind: 'readiness', trials: 2, expected: tries(150) },
  'after a second failures count': { kind: 'readiness', trials: 5, expected: counts(1_000) },
  'what follows comes a period later': {
    kind: 'readiness',
    trials: 5,
    countedAt: 1_000,
    expected: counts(11_000),
  },
  'the initial delay counts from the start': {
    kind: 'readiness',
    probe: { initialDelaySeconds: 5 },
    expected: counts(5_000),
  },
  'readiness after a long startup counts at once': {
    kind: 'readiness',
    turnAt: 7_000,
    expected: counts(7_000),
  },
  'liveness is good until proven otherwise, so a young container is spared': {
    kind: 'liveness',
    expected: counts(1_000),
  },
  'liveness waits out its delay': {
    kind: 'liveness',
    probe: { initialDelaySeconds: 15 },
    expected: counts(15_000),
  },
  'startup is tried at once': { kind: 'startup', expected: tries(0) },
  'startup counts from the first period on': { kind: 'startup', trials: 5, expected: counts(10_000) },
  'startup with a delay is tried when that is over': {
    kind: 'startup',
    probe: { initialDelaySeconds: 3, periodSeconds: 2 },
    expected: tries(3_000),
  },
  'and counts a period later': {
    kind: 'startup',
    probe: { initialDelaySeconds: 3, periodSeconds: 2 },
    trials: 1,
    expected: counts(5_000),
  },
}

for (const [name, { kind, probe = {}, turnAt = 0, trials = 0, countedAt, expected }] of Object.entries(
  cases,
)) {
  test(`schedule: ${name}`, () => {
    const times: ProbeTimes = { kind, probe, startedAt: 0, turnAt, trials }
    assert.deepEqual(nextProbe(countedAt === undefined ? times : { ...times, countedAt }), expected)
  })
}

const verdicts: Record<string, { kind: ProbeKind; probe?: Probe; seen: string; results: string }> = {
  'readiness is a failure first, and a success needs one run': { kind: 'readiness', seen: 's', results: 's' },
  'liveness fails after three failures': { kind: 'liveness', seen: 'fff', results: 'ssf' },
  'a success between starts the count anew': { kind: 'liveness', seen: 'ffsff', results: 'sssss' },
  'the thresholds are the probe’s': {
    kind: 'readiness',
    probe: { failureThreshold: 2, successThreshold: 3 },
    seen: 'sssffs',
    results: 'ffssff',
  },
  'startup knows nothing until it fails': {
    kind: 'startup',
    probe: { failureThreshold: 2 },
    seen: 'ff',
    results: 'uf',
  },
}

for (const [name, { kind, probe = {}, seen, results }] of Object.entries(verdicts)) {
  test(`verdict: ${name}`, () => {
    let state = initialState(kind)
    const given = [...seen].map(one => {
      state = afterOutcome(kind, probe, state, one === 's' ? 'success' : 'failure')
      return state.result[0]
    })
    assert.equal(given.join(''), results)
  })
}

test('a verdict of startup and a failed liveness put the probe on hold', () => {
  assert.equal(afterOutcome('startup', {}, initialState('startup'), 'success').onHold, true)
  const once = { failureThreshold: 1 }
  assert.equal(afterOutcome('liveness', once, initialState('liveness'), 'failure').onHold, true)
  assert.equal(afterOutcome('readiness', once, initialState('readiness'), 'failure').onHold, false)
})
