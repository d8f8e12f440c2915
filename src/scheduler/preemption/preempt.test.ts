import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, PodSpec } from '../../api/types/core-v1.ts'
import type { PodDisruptionBudget } from '../../api/types/policy-v1.ts'
import { node, pod, World } from '../testing/scheduling.fixture.ts'
import { chooseCandidate } from './choose-candidate.ts'
import { toBudgets, violatesBudgets } from './disruption-budgets.ts'
import { type Preemption, preempt } from './preempt.ts'
import type { Victims } from './victims.ts'

interface Running {
  cpu?: string
  labels?: Record<string, string>
  startTime?: string
  spec?: Partial<PodSpec>
}

const runs = (name: string, priority: number, { cpu = '1', labels, startTime, spec }: Running = {}) =>
  pod(name, {
    ...(labels && { labels }),
    requests: { cpu },
    spec: { priority, ...spec },
    ...(startTime && { status: { startTime } }),
  })

const asks = (cpu: string, priority = 100, spec: Partial<PodSpec> = {}) =>
  runs('new', priority, { cpu, spec })

function judge(world: World, candidate: Pod, budgets: PodDisruptionBudget[] = []): Preemption {
  const nowhere = world.placement(candidate)
  assert.equal(nowhere.node, undefined)
  const promised = world.nominated.nodeOf(candidate.metadata.uid)
  return preempt({ nowhere, budgets: toBudgets(budgets), promised, now: 0, random: () => 0 })
}

/** 'node: victims', or what is told. */
function outcome(world: World, candidate: Pod, budgets: PodDisruptionBudget[] = []): string {
  const preemption = judge(world, candidate, budgets)
  if (preemption.make === 'nothing') return preemption.message
  return `${preemption.victims.node}: ${preemption.victims.pods.map(({ metadata }) => metadata.name).join(' ')}`
}

const budget = (allowed: number, matchLabels: Record<string, string>, disrupted: string[] = []) =>
  ({
    metadata: { name: 'b', namespace: 'default' },
    spec: { selector: { matchLabels } },
    status: {
      disruptionsAllowed: allowed,
      disruptedPods: Object.fromEntries(disrupted.map(name => [name, ''])),
    },
  }) as unknown as PodDisruptionBudget

test('only as many go as have to, the least important ones', () => {
  const world = new World([node('n', { allocatable: { cpu: '3' } })])
  world.with('n', runs('high', 50), runs('low', 1), runs('middle', 10))
  assert.equal(outcome(world, asks('1')), 'n: low')
  assert.equal(outcome(world, asks('2')), 'n: middle low')
})

test('of equals those go that have run for the shortest time', () => {
  const world = new World([node('n')])
  world.with(
    'n',
    runs('old', 1, { startTime: '2026-01-01T00:00:00Z' }),
    runs('new', 1, { startTime: '2026-01-02T00:00:00Z' }),
  )
  assert.equal(outcome(world, asks('1')), 'n: new')
})

test('equal or higher priority is no victim', () => {
  const world = new World([node('n')]).with('n', runs('same', 100), runs('higher', 101))
  assert.equal(
    outcome(world, asks('1')),
    '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
  )
})

test('when even an empty node would not do, evicting is no help', () => {
  const world = new World([node('small'), node('cordoned', { spec: { unschedulable: true } }), node('full')])
  world.with('full', runs('same', 100, { cpu: '2' }))
  world.with('small', runs('low', 1, { cpu: '2' }), runs('same', 100, { cpu: '0' }))
  assert.equal(
    outcome(new World([node('small')]).with('small', runs('low', 1)), asks('3')),
    '0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  )
  assert.equal(outcome(world, asks('2')), 'small: low')
})

test('what keeps the Pod away after all lesser ones are gone is told', () => {
  const world = new World([node('n')]).with('n', runs('same', 100), runs('low', 1))
  assert.equal(outcome(world, asks('2')), '0/1 nodes are available: 1 Insufficient cpu.')
})

test('a Pod that must not preempt says so', () => {
  const world = new World([node('n')]).with('n', runs('low', 1, { cpu: '2' }))
  assert.equal(
    outcome(world, asks('1', 100, { preemptionPolicy: 'Never' })),
    'not eligible due to preemptionPolicy=Never.',
  )
})

test('while victims are on their way out of the promised node nobody else has to go', () => {
  const world = new World([node('n'), node('m')])
  const leaving = pod('leaving', {
    requests: { cpu: '2' },
    deleting: true,
    spec: { priority: 1 },
    status: {
      conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }],
    } as Pod['status'],
  })
  world.with('n', leaving).with('m', runs('low', 1, { cpu: '2' }))
  const candidate = asks('1')
  world.nominated.set(candidate, 'n')
  assert.deepEqual(judge(world, candidate), {
    make: 'nothing',
    message: 'not eligible due to a terminating pod on the nominated node.',
    keepsPromise: true,
  })
})

test('anti-affinity of a victim stops counting when it goes', () => {
  const world = new World([node('n')])
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } }
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  world.with('n', runs('hater', 1, { spec: { affinity } }), runs('bystander', 1))
  const web = pod('new', { labels: { app: 'web' }, spec: { priority: 100 } })
  assert.equal(outcome(world, web), 'n: hater')
})

test('a spread constraint is looked at as it would be without the victims', () => {
  const world = new World([node('a', { labels: { zone: 'a' } }), node('b', { labels: { zone: 'b' } })])
  const labels = { app: 'web' }
  world.with('a', runs('one', 1, { labels, cpu: '1' }), runs('two', 1, { labels, cpu: '1' }))
  world.with('b', runs('other', 200, { cpu: '2' }))
  const topologySpreadConstraints = [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule' as const,
      labelSelector: { matchLabels: labels },
    },
  ]
  const candidate = runs('new', 100, { labels, cpu: '1', spec: { topologySpreadConstraints } })
  assert.equal(outcome(world, candidate), 'a: one two')
})

test('budgets are kept where it can be: other Pods, and other nodes, go first', () => {
  const protectedOnes = { app: 'db' }
  const world = new World([node('n')])
  world.with('n', runs('guarded', 1, { labels: protectedOnes }), runs('free', 10))
  assert.equal(outcome(world, asks('1'), [budget(0, protectedOnes)]), 'n: free')
  assert.equal(outcome(world, asks('1'), [budget(1, protectedOnes)]), 'n: guarded')
  const two = new World([node('n'), node('m')])
  two
    .with('n', runs('guarded', 1, { cpu: '2', labels: protectedOnes }))
    .with('m', runs('free', 50, { cpu: '2' }))
  assert.equal(outcome(two, asks('1'), [budget(0, protectedOnes)]), 'm: free')
  const last = new World([node('n')]).with('n', runs('guarded', 1, { cpu: '2', labels: protectedOnes }))
  assert.equal(outcome(last, asks('1'), [budget(0, protectedOnes)]), 'n: guarded')
})

test('a budget counts down over the Pods that it protects, without those that go already', () => {
  const labels = { app: 'db' }
  const pods = ['a', 'b', 'c'].map(name => runs(name, 1, { labels }))
  const names = (set: Set<Pod>) => [...set].map(({ metadata }) => metadata.name)
  assert.deepEqual(names(violatesBudgets(pods, toBudgets([budget(1, labels)]))), ['b', 'c'])
  assert.deepEqual(names(violatesBudgets(pods, toBudgets([budget(1, labels, ['a'])]))), ['c'])
  assert.deepEqual(names(violatesBudgets(pods, toBudgets([budget(0, {})]))), [])
  assert.deepEqual(names(violatesBudgets(pods, toBudgets([budget(0, { app: 'web' })]))), [])
})

const victims = (name: string, violations: number, ...list: [number, string?][]): Victims => ({
  node: name,
  violations,
  pods: list.map(([priority, startTime], index) =>
    runs(`${name}${index}`, priority, { ...(startTime && { startTime }) }),
  ),
})
const [early, late] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z']
const choices: Record<string, [Victims[], string]> = {
  'fewest budgets overdrawn': [[victims('a', 1, [1]), victims('b', 0, [50], [50])], 'b'],
  'lowest of the highest priorities': [[victims('a', 0, [10]), victims('b', 0, [5], [5], [5])], 'b'],
  'smallest sum of priorities': [[victims('a', 0, [10], [10]), victims('b', 0, [10], [5])], 'b'],
  'fewest Pods': [[victims('a', 0, [10], [-5]), victims('b', 0, [10])], 'b'],
  'the most important ones started last': [[victims('a', 0, [1, early]), victims('b', 0, [1, late])], 'b'],
  'the first of equals': [[victims('a', 0, [1, late]), victims('b', 0, [1, late])], 'a'],
}
for (const [rule, [candidates, expected]] of Object.entries(choices)) {
  test(`the node is chosen by: ${rule}`, () => assert.equal(chooseCandidate(candidates, 0)?.node, expected))
}
