import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import type { FlowSchema } from '../../api/types/flowcontrol-v1.ts'
import { SystemClock } from '../../base/clock.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import { TestRegistry } from '../registry/test-registry.ts'
import { ensureFlowControl } from './ensure-flow-control.ts'
import { FlowControl } from './flow-control.ts'

const SCHEMAS = 'flowcontrol.apiserver.k8s.io/v1/flowschemas'
const LEVELS = 'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations'

test('requests follow what is stored, and each schema tells whether its level is there', async () => {
  const api = new TestRegistry()
  const { storage, registry } = api
  const { handle } = registry
  await ensureFlowControl(handle)
  const metrics = new Registry()
  const flows = new FlowControl({ storage, handle, clock: new SystemClock(), metrics })
  await flows.load()
  const stop = new AbortController()
  const running = flows.run(stop.signal)
  const info = parseRequestInfo('GET', '/version', new URLSearchParams())
  const noxu = { name: 'noxu', groups: ['system:authenticated'] }
  const classify = () => {
    const turn = flows.enter({ info, user: noxu, query: new URLSearchParams() })
    turn.close()
    return { schemaUid: turn.schemaUid, levelUid: turn.levelUid }
  }
  const before = classify()
  assert.notEqual(before.levelUid, '')
  const made = await api.create(SCHEMAS, {
    metadata: { name: 'mine' },
    spec: {
      matchingPrecedence: 500,
      priorityLevelConfiguration: { name: 'mine' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'noxu' } }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    },
  })
  assert.equal(await dangling(api, 'True'), 'NotFound')
  assert.deepEqual(classify(), before)
  const level = await api.create(LEVELS, {
    metadata: { name: 'mine' },
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Reject' } } },
  })
  assert.equal(await dangling(api, 'False'), 'Found')
  assert.deepEqual(classify(), {
    schemaUid: made.metadata.uid,
    levelUid: level.metadata.uid,
  })
  const text = await metrics.metrics()
  assert.match(text, /apiserver_flowcontrol_nominal_limit_seats\{priority_level="mine"\} 3\n/)
  assert.match(text, /dispatched_requests_total\{priority_level="mine",flow_schema="mine"\} 1\n/)
  await api.object('delete', SCHEMAS, { name: 'catch-all' })
  const again = await until(() => api.object('get', SCHEMAS, { name: 'catch-all' }).catch(() => undefined))
  assert.equal(again.metadata.name, 'catch-all')
  stop.abort()
  await running
})

test('before anything is stored, administrators are exempt and others share the last level', () => {
  const { storage, registry } = new TestRegistry()
  const metrics = new Registry()
  const flows = new FlowControl({ storage, handle: registry.handle, clock: new ManualClock(0), metrics })
  const info = parseRequestInfo('GET', '/version', new URLSearchParams())
  const enter = (name: string, groups: string[]) =>
    flows.enter({ info, user: { name, groups }, query: new URLSearchParams() })
  const everybody = Array.from({ length: 601 }, () => enter('jane', []))
  assert.deepEqual(everybody.map(turn => turn.isRunning).indexOf(false), 600)
  assert.equal(enter('root', ['system:masters']).isRunning, true)
  for (const turn of everybody) turn.close()
  assert.equal(enter('jane', []).isRunning, true)
})

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let turn = 0; turn < 500; turn++) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise(setImmediate)
  }
  throw new Error('it did not come')
}

/** The reason, once the condition has the status. */
function dangling(api: TestRegistry, status: string): Promise<string> {
  return until(async () => {
    const schema = (await api.object('get', SCHEMAS, { name: 'mine' })) as unknown as FlowSchema
    return schema.status?.conditions?.find(one => one.type === 'Dangling' && one.status === status)?.reason
  })
}
