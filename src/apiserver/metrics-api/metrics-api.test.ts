import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiHandler, ApiRequest } from '../../api/request.ts'
import { notFound, StatusError } from '../../api/status-error.ts'
import { withMetricsApi } from './metrics-api.ts'
import type { UsageSummary } from './usage.ts'

const time = '2026-11-21T08:21:11Z'
const figures = (usageNanoCores: number, workingSetBytes: number) => ({
  cpu: { time, usageNanoCores },
  memory: { time, workingSetBytes },
})
const podOf = (name: string) => ({
  metadata: { name, namespace: 'ns', uid: `uid-${name}`, labels: { app: name } },
})
const usage = (name: string, containers: UsageSummary['pods'][number]['containers']) => ({
  podRef: { name, namespace: 'ns', uid: `uid-${name}` },
  containers,
})
const summary: UsageSummary = {
  node: { nodeName: 'node', ...figures(250_000_000, 4096) },
  pods: [
    usage('a', [{ name: 'c', ...figures(1_000_000, 2048) }]),
    usage('young', [
      { name: 'c', ...figures(1, 1) },
      { name: 'd', cpu: { time } },
    ]),
    usage('gone', [{ name: 'c', ...figures(1, 1) }]),
  ],
}
const asked: ApiRequest[] = []
const core: ApiHandler = async request => {
  asked.push(request)
  const all = request.resource === 'nodes' ? [{ metadata: { name: 'node' } }] : ['a', 'young'].map(podOf)
  if (request.verb === 'list') return { kind: 'object', code: 200, object: { items: all } as never }
  const object = all.find(({ metadata }) => metadata.name === request.name)
  if (!object) throw notFound({ group: '', resource: request.resource }, request.name ?? '')
  return { kind: 'object', code: 200, object: object as never }
}
const handle = withMetricsApi(core, async () => [{ node: { nodeName: 'elsewhere' }, pods: [] }, summary])
const request = (verb: ApiRequest['verb'], resource: string, more: Partial<ApiRequest> = {}): ApiRequest => ({
  user: { name: 'u', groups: [] },
  verb,
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  resource,
  ...more,
})
const objectOf = async (...args: Parameters<typeof request>) => {
  const answer = await handle(request(...args))
  return answer.kind === 'object' ? (answer.object as unknown as Record<string, unknown>) : assert.fail()
}

test('a node tells what it uses', async () => {
  assert.deepEqual(await objectOf('get', 'nodes', { name: 'node' }), {
    kind: 'NodeMetrics',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: { name: 'node', creationTimestamp: time },
    timestamp: time,
    window: '15s',
    usage: { cpu: '250000000n', memory: '4Ki' },
  })
})

test('pods are those that the API knows and of which every container has figures', async () => {
  const options = { labelSelector: 'app=a' }
  const list = await objectOf('list', 'pods', { namespace: 'ns', options })
  assert.equal(list.kind, 'PodMetricsList')
  assert.deepEqual(list.items, [
    {
      metadata: { name: 'a', namespace: 'ns', creationTimestamp: time, labels: { app: 'a' } },
      timestamp: time,
      window: '15s',
      containers: [{ name: 'c', usage: { cpu: '1000000n', memory: '2Ki' } }],
    },
  ])
  assert.deepEqual(asked.at(-1)?.options, options)
})

const missing: [name: string, resource: string, namespace: string | undefined, message: string][] = [
  ['nope', 'pods', 'ns', 'podmetrics.metrics.k8s.io "ns/nope" not found'],
  ['young', 'pods', 'ns', 'podmetrics.metrics.k8s.io "ns/young" not found'],
  ['nope', 'nodes', undefined, 'nodemetrics.metrics.k8s.io "nope" not found'],
]
for (const [name, resource, namespace, message] of missing) {
  test(message, async () => {
    const call = handle(request('get', resource, { name, ...(namespace && { namespace }) }))
    await assert.rejects(
      call,
      (error: StatusError) => error.status.message === message && error.status.code === 404,
    )
  })
}

test('nothing is written here, and other groups are not touched', async () => {
  await assert.rejects(handle(request('delete', 'pods', { name: 'a' })), StatusError)
  await handle(request('list', 'pods', { group: '' }))
  assert.equal(asked.at(-1)?.group, '')
})
