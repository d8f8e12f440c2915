import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flowSchemas, priorityLevels } from '../../api/flow-control/bootstrap.ts'
import type {
  FlowSchema,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from '../../api/types/flowcontrol-v1.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import type { PriorityLevel } from './priority-level.ts'
import { PriorityLevels } from './priority-levels.ts'
import { Ticket } from './ticket.ts'

const stored = (specs: Record<string, PriorityLevelConfigurationSpec>) =>
  Object.entries(specs).map(
    ([name, spec]) => ({ metadata: { name, uid: name }, spec }) as PriorityLevelConfiguration,
  )

const schema = (name: string) => ({ metadata: { name }, spec: flowSchemas[name]! }) as FlowSchema
const PODS = parseRequestInfo('GET', '/api/v1/namespaces/a/pods', new URLSearchParams())

function send(level: PriorityLevel, now: number): Ticket {
  const user = { name: 'jane', groups: [] }
  const { hand, distinguisher } = level.flowOf(schema('global-default'), PODS, user)
  const work = { initialSeats: 1, finalSeats: 0, lingerMs: 0 }
  const ticket = new Ticket({
    info: PODS,
    user,
    stats: level.statsOf('global-default'),
    flow: distinguisher,
    hand,
    work,
  })
  level.queues.arrive(ticket, now)
  return ticket
}

const currentLimits = (levels: PriorityLevels) =>
  Object.fromEntries(levels.all().map(({ name, queues }) => [name, queues.limit]))

test('a server of which nothing is known yet has the levels that every server has', () => {
  const levels = new PriorityLevels(0)
  assert.deepEqual(currentLimits(levels), { 'catch-all': 600, exempt: 0 })
})

test('the seats of a new cluster are shared as upstream shares them', () => {
  const levels = new PriorityLevels(0)
  levels.configure(stored(priorityLevels), 0)
  const nominal = Object.fromEntries(levels.all().map(({ name, limits }) => [name, limits.nominal]))
  assert.deepEqual(nominal, {
    'catch-all': 13,
    exempt: 0,
    'global-default': 49,
    'leader-election': 25,
    'node-high': 98,
    system: 74,
    'workload-high': 98,
    'workload-low': 245,
  })
  assert.equal(levels.get('global-default')?.mostSeats, 8)
  assert.equal(levels.get('catch-all')?.mostSeats, undefined)
  assert.deepEqual(levels.room(), { executing: 602, waiting: 50 * (16 + 2 * 64 + 3 * 128) })
  const sum = Object.values(currentLimits(levels)).reduce((total, one) => total + one, 0)
  assert.ok(Math.abs(sum - 602) <= 4, `${sum}`)
})

test('a busy level borrows what idle ones lend, and gives it back when they need it', () => {
  const levels = new PriorityLevels(0)
  levels.configure(stored(priorityLevels), 0)
  const busy = levels.get('global-default')!
  for (let at = 0; at < 300; at++) send(busy, 0)
  levels.adjust(10_000)
  const borrowed = busy.queues.limit
  assert.ok(borrowed > 150, `${borrowed}`)
  assert.equal(busy.queues.executing, 300)
  const lender = levels.get('workload-low')!
  assert.ok(lender.queues.limit >= 24 && lender.queues.limit < 245)
  for (let at = 0; at < 300; at++) send(lender, 10_000)
  levels.adjust(20_000)
  assert.equal(lender.queues.limit, 245)
  assert.ok(busy.queues.limit < borrowed)
})

test('a level that is deleted while somebody runs in it stays until he is done', () => {
  const levels = new PriorityLevels(0)
  const mine = { ...priorityLevels, mine: { ...priorityLevels['global-default']! } }
  levels.configure(stored(mine), 0)
  const level = levels.get('mine')!
  const ticket = send(level, 0)
  levels.configure(stored(priorityLevels), 1)
  assert.equal(levels.get('mine'), level)
  assert.deepEqual([level.isQuiescing, level.isUnused], [true, false])
  level.queues.finish(ticket, 2)
  assert.equal(level.isUnused, true)
  levels.configure(stored(priorityLevels), 3)
  assert.equal(levels.get('mine'), undefined)
  assert.equal([...levels.stats()].find(one => one.level === 'mine')?.dispatched, 1)
})

const flows: [schema: string, level: string, path: string, distinguisher: string, hand: number][] = [
  ['global-default', 'global-default', '/version', 'jane', 6],
  ['kube-scheduler', 'workload-high', '/api/v1/namespaces/a/pods', 'a', 6],
  ['kube-scheduler', 'workload-high', '/api/v1/pods', '', 6],
  ['catch-all', 'catch-all', '/version', '', 0],
  ['exempt', 'exempt', '/version', '', 0],
]
for (const [name, level, path, distinguisher, hand] of flows) {
  test(`a request for ${path} in ${name} is of the flow "${distinguisher}"`, () => {
    const levels = new PriorityLevels(0)
    levels.configure(stored(priorityLevels), 0)
    const info = parseRequestInfo('GET', path, new URLSearchParams())
    const flow = levels.get(level)!.flowOf(schema(name), info, { name: 'jane', groups: [] })
    assert.equal(flow.distinguisher, distinguisher)
    assert.equal(flow.hand.length, hand)
  })
}
