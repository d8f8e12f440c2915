import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTime } from '../../api/time.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { groupPods } from './group-pods.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')
const MINUTE = 60_000
const readiness = { cpuInitializationMs: 2 * MINUTE, initialReadinessDelayMs: 10_000 }

interface Case {
  phase?: string
  deleted?: boolean
  /** Minutes ago. */
  started?: number
  ready?: ['True' | 'False', number]
  /** Minutes ago; left out: no figure. */
  measured?: number
  resource?: string
  expected: 'ready' | 'missing' | 'unready' | 'ignored'
}

const cases: Record<string, Case> = {
  'a pod that is ready and measured counts': {
    started: 10,
    ready: ['True', 9],
    measured: 0,
    expected: 'ready',
  },
  'one that is going does not': { deleted: true, measured: 0, expected: 'ignored' },
  'nor one that has failed': { phase: 'Failed', measured: 0, expected: 'ignored' },
  'a pending one is not ready': { phase: 'Pending', expected: 'unready' },
  'one without a figure is missing': { started: 10, ready: ['True', 9], expected: 'missing' },
  'one without a condition is not ready': { started: 10, measured: 0, expected: 'unready' },
  'one that is starting counts once a whole window was measured since it is ready': {
    started: 1.5,
    ready: ['True', 1],
    measured: 0,
    expected: 'ready',
  },
  'but not before': { started: 1, ready: ['True', 0.5], measured: 0, expected: 'unready' },
  'one that is starting and is not ready does not count': {
    started: 1,
    ready: ['False', 1],
    measured: 0,
    expected: 'unready',
  },
  'later one counts that was ready once': {
    started: 10,
    ready: ['False', 1],
    measured: 0,
    expected: 'ready',
  },
  'but not one that never was': { started: 10, ready: ['False', 10], measured: 0, expected: 'unready' },
  'memory is believed at any time': {
    started: 1,
    ready: ['False', 1],
    measured: 0,
    resource: 'memory',
    expected: 'ready',
  },
}

for (const [title, { expected, ...given }] of Object.entries(cases)) {
  test(`figures: ${title}`, () => {
    const { resource = 'cpu', measured } = given
    const metric = { value: 1, at: NOW - (measured ?? 0) * MINUTE, windowMs: MINUTE }
    const metrics = new Map(measured === undefined ? [] : [['a', metric]])
    const groups = groupPods([podOf(given)], metrics, resource, readiness, NOW)
    const names = (name: string) => (name === expected ? ['a'] : [])
    assert.deepEqual(
      {
        ready: groups.readyCount,
        missing: [...groups.missing],
        unready: [...groups.unready],
        ignored: [...groups.ignored],
      },
      {
        ready: expected === 'ready' ? 1 : 0,
        missing: names('missing'),
        unready: names('unready'),
        ignored: names('ignored'),
      },
    )
  })
}

function podOf({ phase = 'Running', deleted, started, ready }: Omit<Case, 'expected'>): Pod {
  const ago = (minutes: number) => formatTime(NOW - minutes * MINUTE)
  const condition = ready && { type: 'Ready', status: ready[0], lastTransitionTime: ago(ready[1]) }
  return {
    metadata: { name: 'a', ...(deleted && { deletionTimestamp: ago(0) }) },
    status: {
      phase,
      ...(started !== undefined && { startTime: ago(started) }),
      ...(condition && { conditions: [condition] }),
    },
  } as Pod
}
