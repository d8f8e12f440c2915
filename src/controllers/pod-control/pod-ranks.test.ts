import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pod } from '../testing/workload-objects.fixture.ts'
import { podsToDelete } from './pod-ranks.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')

type Edits = NonNullable<Parameters<typeof pod>[1]>
const ready = (since: string) => ({
  phase: 'Running' as const,
  conditions: [{ type: 'Ready', status: 'True' as const, lastTransitionTime: since }],
})
const cost = (value: string) => ({
  annotations: { 'controller.kubernetes.io/pod-deletion-cost': value },
})
const restarts = (restartCount: number) => ({
  ...ready('2026-01-01T00:00:00Z'),
  containerStatuses: [
    { name: 'app', restartCount, image: '', imageID: '', ready: true, state: {}, lastState: {} },
  ],
})

/** The first goes before the second, by the rules in this order. */
const pairs: Record<string, [first: Edits, second: Edits]> = {
  'one without a node': [{ spec: { nodeName: '' } }, {}],
  'one that is pending': [{ status: { phase: 'Pending' } }, { status: { phase: 'Unknown' } }],
  'one whose state is unknown': [{ status: { phase: 'Unknown' } }, { ready: false }],
  'one that is not ready': [{ ready: false }, {}],
  'one that costs less': [{ metadata: cost('-5') }, { metadata: cost('3') }],
  'one that costs nothing': [{}, { metadata: cost('1') }],
  'a cost that is no number counts as nothing': [{ metadata: cost('+3') }, { metadata: cost('1') }],
  'one that has been ready for a shorter time': [
    { status: ready('2026-01-01T23:59:00Z') },
    { status: ready('2026-01-01T00:00:00Z') },
  ],
  'one that has restarted more often': [{ status: restarts(4) }, { status: restarts(1) }],
  'a younger one': [
    { metadata: { creationTimestamp: '2026-01-01T23:59:59Z' } },
    { metadata: { creationTimestamp: '2025-01-01T00:00:00Z' } },
  ],
}

for (const [title, [first, second]] of Object.entries(pairs)) {
  test(`of two goes ${title}`, () => {
    const [a, b] = [pod('a', first), pod('b', second)]
    for (const both of [
      [a, b],
      [b, a],
    ])
      assert.deepEqual(podsToDelete(both, both, 1, NOW), [a])
  })
}

test('of those on a node with many of the same owner one goes before others', () => {
  const on = (name: string, nodeName: string) => pod(name, { spec: { nodeName } })
  const own = [on('a', 'few'), on('b', 'many')]
  const related = [...own, on('c', 'many'), on('d', 'many')]
  assert.deepEqual(
    podsToDelete(own, related, 1, NOW).map(({ metadata }) => metadata.name),
    ['b'],
  )
})

test('when all go nobody is compared', () => {
  const pods = [pod('b'), pod('a')]
  assert.deepEqual(podsToDelete(pods, pods, 5, NOW), pods)
})
