// Budgets, limit ranges and importance as clients use them: every verb, what an eviction is told, who makes room.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { LimitRange, Node, Pod } from '../../src/api/types/core-v1.ts'
import type { Status } from '../../src/api/types/meta-v1.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetSpec } from '../../src/api/types/policy-v1.ts'
import type { PriorityClass } from '../../src/api/types/scheduling-v1.ts'
import { ApiRequests, MERGE_PATCH } from './api-requests.ts'
import { eventually, TestCluster } from './test-cluster.ts'

interface ListOf<T> {
  metadata: { resourceVersion: string }
  items: T[]
}

let cluster: TestCluster
let api: ApiRequests

before(async () => {
  cluster = await TestCluster.up()
  api = await ApiRequests.of(cluster)
})

after(async () => {
  api?.close()
  await cluster?.[Symbol.asyncDispose]()
})

/** A namespace of its own, with its account. */
async function namespace(name: string): Promise<string> {
  await api.post('/api/v1/namespaces', { metadata: { name, labels: { e2e: 'budgets' } } })
  const account = `/api/v1/namespaces/${name}/serviceaccounts/default`
  await eventually('the account', async () => (await api.send('GET', account)).code === 200)
  return name
}

const budgetsOf = (ns: string) => `/apis/policy/v1/namespaces/${ns}/poddisruptionbudgets`
const podsOf = (ns: string) => `/api/v1/namespaces/${ns}/pods`

function createBudget(ns: string, name: string, spec: Partial<PodDisruptionBudgetSpec>, labels = {}) {
  return api.post<PodDisruptionBudget>(budgetsOf(ns), {
    metadata: { name, labels },
    spec: { selector: { matchLabels: { foo: 'bar' } }, ...spec },
  })
}

/** The controller has seen this generation. */
async function observed(ns: string, name: string): Promise<PodDisruptionBudget> {
  return eventually(`${name} is observed`, async () => {
    const budget = await api.get<PodDisruptionBudget>(`${budgetsOf(ns)}/${name}`)
    return budget.status?.observedGeneration === budget.metadata.generation && budget
  })
}

async function runPods(ns: string, count: number, spec: object = {}): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `pod-${index}`)
  for (const name of names) {
    await api.post(podsOf(ns), {
      metadata: { name, labels: { foo: 'bar' } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'nginx' }], ...spec },
    })
  }
  await eventually('all are ready', async () => {
    const { items } = await api.get<ListOf<Pod>>(podsOf(ns))
    return items.filter(isReady).length === count
  })
  return names
}

const isReady = ({ status }: Pod) =>
  status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

const evict = (ns: string, name: string) =>
  api.send<Status>('POST', `${podsOf(ns)}/${name}/eviction`, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace: ns },
  })

const NOT_NOW = "Cannot evict pod as it would violate the pod's disruption budget."

test('a budget is made, updated, patched, listed everywhere and deleted', async () => {
  const ns = await namespace('verbs')
  await createBudget(ns, 'foo', { minAvailable: '1%' }, { e2e: 'pdb' })
  await observed(ns, 'foo')
  const path = `${budgetsOf(ns)}/foo`
  await eventually('it is updated', async () => {
    const budget = await api.get<PodDisruptionBudget>(path)
    const { code } = await api.send('PUT', path, { ...budget, spec: { ...budget.spec, minAvailable: '2%' } })
    return code === 200
  })
  assert.equal((await observed(ns, 'foo')).spec.minAvailable, '2%')
  const patched = await api.patch<PodDisruptionBudget>(path, { spec: { minAvailable: '3%' } }, MERGE_PATCH)
  assert.equal(patched.spec.minAvailable, '3%')
  await observed(ns, 'foo')

  const other = await namespace('verbs-too')
  await createBudget(other, 'bar', { minAvailable: 1 }, { e2e: 'pdb' })
  await createBudget(ns, 'bar', { minAvailable: 1 }, { e2e: 'pdb' })
  const everywhere = () =>
    api.get<ListOf<PodDisruptionBudget>>('/apis/policy/v1/poddisruptionbudgets?labelSelector=e2e=pdb')
  assert.equal((await everywhere()).items.length, 3)
  await api.delete(`${budgetsOf(ns)}?labelSelector=e2e=pdb`)
  await eventually('those of the namespace are gone', async () => (await everywhere()).items.length === 1)
  await api.delete(`${budgetsOf(other)}/bar`)
  assert.equal((await api.send('GET', `${budgetsOf(other)}/bar`)).code, 404)
})

test('the status of a budget tells what is allowed, and is patched and replaced on its own', async () => {
  const ns = await namespace('status')
  await createBudget(ns, 'foo', { minAvailable: 1 })
  await runPods(ns, 3)
  const path = `${budgetsOf(ns)}/foo`
  const allowed = await eventually('two may go', async () => {
    const { status } = await api.get<PodDisruptionBudget>(path)
    return status?.disruptionsAllowed === 2 && status
  })
  assert.deepEqual([allowed.currentHealthy, allowed.desiredHealthy, allowed.expectedPods], [3, 1, 3])
  const { type, status, reason } = allowed.conditions![0]!
  assert.deepEqual([type, status, reason], ['DisruptionAllowed', 'True', 'SufficientPods'])

  const when = '2026-01-02T03:04:05Z'
  await eventually('it is replaced', async () => {
    const budget = await api.get<PodDisruptionBudget>(path)
    const disruptedPods = { 'pod-0': when }
    const answer = await api.send<PodDisruptionBudget>('PUT', `${path}/status`, {
      ...budget,
      status: { ...budget.status, disruptedPods },
    })
    assert.notEqual(answer.code, 422)
    return answer.code === 200 && answer.body.status?.disruptedPods?.['pod-0'] === when
  })
  const patched = await api.patch<PodDisruptionBudget>(
    `${path}/status`,
    { metadata: { annotations: { patched: 'status' } }, status: { disruptedPods: null } },
    MERGE_PATCH,
  )
  assert.equal(patched.metadata.annotations?.patched, 'status')
  const { status: read } = await api.get<PodDisruptionBudget>(`${path}/status`)
  assert.equal(read?.disruptedPods, undefined)
})

test('an eviction is refused until the budget allows it', async () => {
  const ns = await namespace('refused')
  await runPods(ns, 3)
  await createBudget(ns, 'foo', { minAvailable: 3 })
  await eventually('none may go', async () => (await observed(ns, 'foo')).status?.currentHealthy === 3)
  const refused = await evict(ns, 'pod-0')
  assert.equal(refused.code, 429)
  assert.equal(refused.body.message, NOT_NOW)
  assert.equal(refused.body.reason, 'TooManyRequests')
  assert.deepEqual(refused.body.details?.causes, [
    {
      reason: 'DisruptionBudget',
      message: 'The disruption budget foo needs 3 healthy pods and has 3 currently',
    },
  ])
  await api.patch(`${budgetsOf(ns)}/foo`, { spec: { minAvailable: 2 } })
  await eventually('one may go', async () => (await observed(ns, 'foo')).status?.disruptionsAllowed === 1)
  assert.equal((await evict(ns, 'pod-0')).code, 201)
  await eventually('it is gone', async () => (await api.send('GET', `${podsOf(ns)}/pod-0`)).code === 404)
  await eventually(
    'none may go again',
    async () => (await observed(ns, 'foo')).status?.disruptionsAllowed === 0,
  )
  assert.equal((await evict(ns, 'pod-1')).code, 429)
  await api.delete(`${budgetsOf(ns)}/foo`)
  assert.equal((await evict(ns, 'pod-1')).code, 201)
})

test('pods that run without being ready may go when the budget says so', async () => {
  const ns = await namespace('unhealthy')
  const probe = { exec: { command: ['false'] }, periodSeconds: 1 }
  for (const name of ['pod-0', 'pod-1'])
    await api.post(podsOf(ns), {
      metadata: { name, labels: { foo: 'bar' } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'main', image: 'nginx', readinessProbe: probe }],
      },
    })
  await eventually('both run', async () =>
    (await api.get<ListOf<Pod>>(podsOf(ns))).items.every(({ status }) => status.phase === 'Running'),
  )
  await createBudget(ns, 'foo', { minAvailable: 1 })
  await observed(ns, 'foo')
  assert.equal((await evict(ns, 'pod-0')).code, 429)
  await api.patch(`${budgetsOf(ns)}/foo`, { spec: { unhealthyPodEvictionPolicy: 'AlwaysAllow' } })
  await observed(ns, 'foo')
  assert.equal((await evict(ns, 'pod-0')).code, 201)
})

test('without that they may go only while enough others are healthy', async () => {
  const ns = await namespace('healthy')
  const probe = { exec: { command: ['sh', '-c', 'test "$(hostname)" != pod-2'] }, periodSeconds: 1 }
  const containers = [{ name: 'main', image: 'nginx', readinessProbe: probe }]
  for (const name of ['pod-0', 'pod-1', 'pod-2'])
    await api.post(podsOf(ns), {
      metadata: { name, labels: { foo: 'bar' } },
      spec: { terminationGracePeriodSeconds: 0, containers },
    })
  await createBudget(ns, 'foo', { minAvailable: 2 })
  await eventually('two are healthy', async () => (await observed(ns, 'foo')).status?.currentHealthy === 2)
  assert.equal((await evict(ns, 'pod-0')).code, 429)
  assert.equal((await evict(ns, 'pod-2')).code, 201)
  await eventually('it is gone', async () => (await api.send('GET', `${podsOf(ns)}/pod-2`)).code === 404)
  await eventually('two are left', async () => (await observed(ns, 'foo')).status?.expectedPods === 2)
  assert.equal((await evict(ns, 'pod-1')).code, 429)
})

test('limit ranges are listed everywhere, patched and deleted as a collection', async () => {
  const [one, two] = [await namespace('limits-one'), await namespace('limits-two')]
  const path = (ns: string) => `/api/v1/namespaces/${ns}/limitranges`
  const limits = [
    {
      type: 'Container',
      default: { cpu: '500m', memory: '500Mi' },
      defaultRequest: { cpu: '100m', memory: '200Mi' },
      min: { cpu: '50m', memory: '100Mi' },
      max: { cpu: '500m', memory: '500Mi' },
    },
  ]
  for (const ns of [one, two]) {
    await api.post(path(ns), {
      metadata: { name: 'range', labels: { 'e2e-range': 'yes', [ns]: 'created' } },
      spec: { limits },
    })
  }
  const everywhere = () => api.get<ListOf<LimitRange>>('/api/v1/limitranges?labelSelector=e2e-range=yes')
  assert.equal((await everywhere()).items.length, 2)
  const tooHigh = { limits: [{ ...limits[0], min: { cpu: '50m', memory: '300Mi' } }] }
  assert.equal((await api.send('PATCH', `${path(one)}/range`, { spec: tooHigh }, MERGE_PATCH)).code, 422)
  const minimum = { cpu: '40m', memory: '50Mi' }
  const answer = await api.patch<LimitRange>(`${path(one)}/range`, {
    metadata: { labels: { patched: 'yes' } },
    spec: { limits: [{ ...limits[0], min: minimum }] },
  })
  assert.deepEqual(answer.spec?.limits[0]?.min, minimum)
  await api.delete(`${path(one)}?labelSelector=patched=yes`)
  assert.deepEqual(
    (await everywhere()).items.map(({ metadata }) => metadata.namespace),
    [two],
  )
  const refused = await api.send<Status>('POST', podsOf(two), {
    metadata: { name: 'much' },
    spec: { containers: [{ name: 'main', image: 'nginx', resources: { limits: { cpu: '600m' } } }] },
  })
  assert.equal(refused.code, 403)
  const pod = await api.post<Pod>(podsOf(two), {
    metadata: { name: 'plain' },
    spec: { containers: [{ name: 'main', image: 'nginx' }] },
  })
  assert.deepEqual(pod.spec.containers[0]?.resources, {
    limits: { cpu: '500m', memory: '500Mi' },
    requests: { cpu: '100m', memory: '200Mi' },
  })
  await api.delete(`${podsOf(two)}/plain`, { gracePeriodSeconds: 0 })
})

test('the value of a priority class stays, what it says about itself may change', async () => {
  const path = '/apis/scheduling.k8s.io/v1/priorityclasses'
  for (const [name, value] of [
    ['p1', 1],
    ['p2', 2],
  ] as const)
    await api.post(path, { metadata: { name, labels: { e2e: 'priority' } }, value, description: 'before' })
  const forbidden = await api.send<Status>('PATCH', `${path}/p1`, { value: 10 }, MERGE_PATCH)
  assert.equal(forbidden.code, 422)
  const current = await api.get<PriorityClass>(`${path}/p1`)
  assert.equal((await api.send('PUT', `${path}/p1`, { ...current, value: 10 })).code, 422)
  const { description } = await api.patch<PriorityClass>(`${path}/p1`, { description: 'after' }, MERGE_PATCH)
  assert.equal(description, 'after')
  const updated = await api.put<PriorityClass>(`${path}/p2`, {
    ...(await api.get<PriorityClass>(`${path}/p2`)),
    description: 'after',
  })
  assert.deepEqual([updated.value, updated.description], [2, 'after'])
  assert.equal((await api.get<ListOf<PriorityClass>>(`${path}?labelSelector=e2e=priority`)).items.length, 2)
  await api.delete(`${path}?labelSelector=e2e=priority`)
  assert.equal((await api.get<ListOf<PriorityClass>>(`${path}?labelSelector=e2e=priority`)).items.length, 0)
})

test('who makes room is told so, even while a finalizer holds it', async () => {
  const ns = await namespace('preempted')
  const resource = 'example.com/only'
  const [node] = (await api.get<ListOf<Node>>('/api/v1/nodes')).items
  await api.patch(`/api/v1/nodes/${node!.metadata.name}/status`, {
    status: { capacity: { [resource]: '1' } },
  })
  for (const [name, value] of [
    ['low', 1],
    ['high', 1000],
  ] as const)
    await api.post('/apis/scheduling.k8s.io/v1/priorityclasses', { metadata: { name }, value })
  const pod = (name: string, finalizers: string[] = []) =>
    api.post<Pod>(podsOf(ns), {
      metadata: { name, finalizers },
      spec: {
        priorityClassName: name,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'main',
            image: 'nginx',
            resources: { requests: { [resource]: '1' }, limits: { [resource]: '1' } },
          },
        ],
      },
    })
  const phase = async (name: string) => (await api.get<Pod>(`${podsOf(ns)}/${name}`)).status.phase
  await pod('low', ['example.com/hold'])
  await eventually('the first runs', async () => (await phase('low')) === 'Running')
  await pod('high')
  const victim = await eventually('it is going', async () => {
    const low = await api.get<Pod>(`${podsOf(ns)}/low`)
    return low.metadata.deletionTimestamp && low
  })
  const condition = victim.status.conditions?.find(({ type }) => type === 'DisruptionTarget')
  assert.deepEqual([condition?.status, condition?.reason], ['True', 'PreemptionByScheduler'])
  assert.equal(condition?.message, 'default-scheduler: preempting to accommodate a higher priority pod')
  await api.patch(`${podsOf(ns)}/low`, { metadata: { finalizers: null } }, MERGE_PATCH)
  await eventually('the other runs', async () => (await phase('high')) === 'Running')
})
