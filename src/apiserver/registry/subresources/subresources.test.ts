import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, type Loose, pod, TestRegistry } from '../test-registry.ts'

const binding = (name: string, node: string, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  target: { kind: 'Node', name: node },
})

function bind(api: TestRegistry, name: string, node = 'n1', metadata: object = {}): Promise<Loose> {
  return api.object('create', 'pods/binding', { name, body: binding(name, node, metadata) })
}

test('a binding puts the pod on the node and says so in its conditions', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  await api.patch('pods/status', 'p', {
    status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] },
  })
  const answer = await bind(api, 'p', 'n1', { annotations: { from: 'scheduler' } })
  assert.deepEqual([answer.kind, answer.status, answer.code], ['Status', 'Success', 201])
  const bound = await api.get('pods', 'p')
  assert.equal(bound.spec!.nodeName, 'n1')
  assert.equal(bound.metadata.annotations!.from, 'scheduler')
  assert.equal(bound.metadata.generation, 1)
  assert.deepEqual(bound.status!.conditions, [
    { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: '2026-01-01T00:00:00Z' },
  ])
})

test('bindings that come too late are conflicts', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  await bind(api, 'p')
  const twice = await failure(bind(api, 'p', 'n2'))
  assert.deepEqual(
    [twice.code, twice.message],
    [409, 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"'],
  )
  await api.create('pods', pod('d', {}, { finalizers: ['x/y'] }))
  await api.object('delete', 'pods', { name: 'd' })
  const deleted = await failure(bind(api, 'd'))
  assert.equal(
    deleted.message,
    'Operation cannot be fulfilled on pods/binding "d": pod d is being deleted, cannot be assigned to a host',
  )
  await api.create('pods', pod('q'))
  const other = await failure(bind(api, 'q', 'n1', { uid: 'another' }))
  assert.equal(other.code, 409)
  const nowhere = await failure(bind(api, 'q', ''))
  assert.equal(nowhere.message, 'Binding "q" is invalid: target.name: Required value')
  assert.equal((await failure(bind(api, 'missing'))).code, 404)
})

test('the old bindings resource is another way to bind', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  await api.create('bindings', binding('p', 'n7'))
  assert.equal((await api.get('pods', 'p')).spec!.nodeName, 'n7')
})

test('of many bindings at once, one wins', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  const results = await Promise.allSettled(['n1', 'n2', 'n3'].map(node => bind(api, 'p', node)))
  assert.equal(results.filter(result => result.status === 'fulfilled').length, 1)
})

const twoContainers = {
  initContainers: [{ name: 'init', image: 'i' }],
  containers: [
    { name: 'app', image: 'i' },
    { name: 'side', image: 'i' },
  ],
}

test('logs go to the node with the container chosen and the options read', async () => {
  const api = new TestRegistry()
  const made = await api.create('pods', pod('p'))
  const unbound = await api.send('get', 'pods/log', { name: 'p' })
  assert.equal(unbound.kind, 'stream')
  assert.deepEqual(api.logRequests, [])
  await bind(api, 'p')
  const query = { follow: 'true', tailLines: '5', timestamps: 'false', sinceSeconds: '60' }
  const response = await api.send('get', 'pods/log', { name: 'p', query })
  assert.equal(response.kind === 'stream' && response.contentType, 'text/plain')
  const chunks: string[] = []
  if (response.kind === 'stream')
    for await (const chunk of response.body) chunks.push(new TextDecoder().decode(chunk))
  assert.deepEqual(chunks, ['line\n'])
  assert.deepEqual(api.logRequests, [
    {
      node: 'n1',
      pod: { namespace: 'ns', name: 'p', uid: made.metadata.uid },
      options: {
        container: 'c',
        follow: true,
        previous: false,
        timestamps: false,
        tailLines: 5,
        sinceSeconds: 60,
      },
    },
  ])
})

test('log requests that cannot be answered say why', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p', twoContainers))
  const cases: [query: Record<string, string>, code: number, message: string][] = [
    [{}, 400, 'a container name must be specified for pod p, choose one of: [init app side]'],
    [{ container: 'x' }, 400, 'container x is not valid for pod p'],
    [
      { container: 'app', tailLines: '-1' },
      422,
      'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0',
    ],
  ]
  for (const [query, code, message] of cases) {
    const status = await failure(api.send('get', 'pods/log', { name: 'p', query }))
    assert.deepEqual([status.code, status.message], [code, message])
  }
})

const debuggerContainer = { name: 'debugger', image: 'busybox', command: ['sh'], stdin: true, tty: true }

test('ephemeral containers are added, and nothing else changes', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  const current = structuredClone(await api.get('pods', 'p')) as unknown as { spec: object; metadata: object }
  const body = {
    ...current,
    metadata: { ...current.metadata, labels: { x: 'y' } },
    spec: { ...current.spec, nodeName: 'elsewhere', ephemeralContainers: [debuggerContainer] },
  }
  const updated = await api.object('update', 'pods/ephemeralcontainers', { name: 'p', body })
  assert.equal(updated.spec!.ephemeralContainers![0]!.terminationMessagePolicy, 'File')
  assert.equal(updated.spec!.nodeName, undefined)
  assert.equal(updated.metadata.labels, undefined)
  assert.equal(updated.metadata.generation, 2)
  const patch = { spec: { ephemeralContainers: [{ name: 'second', image: 'busybox' }] } }
  const patched = await api.patch('pods/ephemeralcontainers', 'p', patch, 'strategic')
  assert.equal(patched.spec!.ephemeralContainers!.length, 2)
  const removed = await failure(
    api.patch('pods/ephemeralcontainers', 'p', { spec: { ephemeralContainers: [] } }),
  )
  assert.equal(removed.code, 422)
  assert.match(removed.message, /existing ephemeral containers "debugger" may not be removed/)
})

test('the EphemeralContainers kind of old tutorials is answered in kind', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  const body = {
    apiVersion: 'v1',
    kind: 'EphemeralContainers',
    metadata: { name: 'p' },
    ephemeralContainers: [debuggerContainer],
  }
  const answer = await api.object('update', 'pods/ephemeralcontainers', { name: 'p', body })
  assert.equal(answer.kind, 'EphemeralContainers')
  assert.equal(answer.ephemeralContainers![0]!.name, 'debugger')
  assert.equal(answer.ephemeralContainers![0]!.imagePullPolicy, 'Always')
  assert.equal((await api.get('pods', 'p')).spec!.ephemeralContainers!.length, 1)
})

test('kubectl before 1.22 reads the list of ephemeral containers in its own kind, everybody else a Pod', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  for (const [userAgent, kind] of [
    ['kubectl/v1.20.2 (linux/amd64) kubernetes/faecb19', 'EphemeralContainers'],
    ['kubectl/v1.22.0 (linux/amd64) kubernetes/c2b5237', 'Pod'],
    ['kubectl/v1.36.4 (linux/amd64) kubernetes/abcdef0', 'Pod'],
    ['e2e.test/v1.20.2', 'Pod'],
  ] as const) {
    const answer = await api.object('get', 'pods/ephemeralcontainers', { name: 'p', userAgent })
    assert.equal(answer.kind, kind, userAgent)
  }
})

test('a resize changes resources within the QoS class, and nothing else', async () => {
  const api = new TestRegistry()
  const resources = { requests: { cpu: '100m' }, limits: { cpu: '200m' } }
  await api.create('pods', pod('p', { containers: [{ name: 'c', image: 'nginx:1', resources }] }))
  const wider = { requests: { cpu: '150m' } }
  const resized = await api.patch(
    'pods/resize',
    'p',
    { spec: { containers: [{ name: 'c', image: 'other', resources: wider }] } },
    'strategic',
  )
  assert.deepEqual(resized.spec!.containers![0]!.resources, {
    requests: { cpu: '150m' },
    limits: { cpu: '200m' },
  })
  assert.equal(resized.spec!.containers![0]!.image, 'nginx:1')
  assert.equal(resized.metadata.generation, 2)
  const guaranteed = { requests: { cpu: '200m', memory: '1Mi' }, limits: { cpu: '200m', memory: '1Mi' } }
  const change = { spec: { containers: [{ name: 'c', resources: guaranteed }] } }
  const status = await failure(api.patch('pods/resize', 'p', change, 'strategic'))
  assert.match(status.message, /Pod QOS Class may not change as a result of resizing/)
})

function budget(allowed: number, extra: object = {}) {
  return {
    status: {
      disruptionsAllowed: allowed,
      currentHealthy: 2,
      desiredHealthy: allowed > 0 ? 1 : 2,
      expectedPods: 2,
      observedGeneration: 1,
      ...extra,
    },
  }
}

async function withBudget(allowed: number, extra?: object): Promise<TestRegistry> {
  const api = new TestRegistry()
  await api.create('pods', pod('p', {}, { labels: { app: 'a' } }))
  await bind(api, 'p')
  await api.patch('pods/status', 'p', {
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  })
  await api.create('policy/v1/poddisruptionbudgets', {
    metadata: { name: 'b' },
    spec: { minAvailable: 1, selector: { matchLabels: { app: 'a' } } },
  })
  await api.patch('policy/v1/poddisruptionbudgets/status', 'b', budget(allowed, extra))
  return api
}

const evict = (api: TestRegistry) => api.create('pods/eviction', { metadata: { name: 'p' } }, { name: 'p' })

test('an eviction spends the budget and deletes', async () => {
  const api = await withBudget(1)
  assert.equal((await evict(api)).status, 'Success')
  assert.ok((await api.get('pods', 'p')).metadata.deletionTimestamp)
  const { status } = await api.get('policy/v1/poddisruptionbudgets', 'b')
  assert.equal(status!.disruptionsAllowed, 0)
  assert.deepEqual(status!.disruptedPods, { p: '2026-01-01T00:00:00Z' })
  assert.equal(status!.conditions![0]!.reason, 'InsufficientPods')
})

test('an eviction in the words of older clients does the same', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  const body = { apiVersion: 'policy/v1beta1', kind: 'Eviction', metadata: { name: 'p' } }
  const answer = await api.object('create', 'pods/eviction', { name: 'p', body })
  assert.deepEqual([answer.status, answer.code], ['Success', 201])
  assert.equal((await failure(api.get('pods', 'p'))).code, 404)
})

test('an eviction without a budget left is too many', async () => {
  const api = await withBudget(0)
  const status = await failure(evict(api))
  assert.deepEqual(
    [status.code, status.message],
    [429, "Cannot evict pod as it would violate the pod's disruption budget."],
  )
  assert.deepEqual(status.details!.causes, [
    {
      reason: 'DisruptionBudget',
      message: 'The disruption budget b needs 2 healthy pods and has 2 currently',
    },
  ])
  assert.equal((await api.get('pods', 'p')).metadata.deletionTimestamp, undefined)
})

test('an eviction waits for a budget that the controller has not seen', async () => {
  const api = await withBudget(1, { observedGeneration: 0 })
  const status = await failure(evict(api))
  assert.equal(status.details!.retryAfterSeconds, 10)
  assert.equal(
    status.details!.causes![0]!.message,
    'The disruption budget b is still being processed by the server.',
  )
})

test('a pod that is not ready goes when enough others are healthy', async () => {
  const api = await withBudget(0)
  await api.patch('pods/status', 'p', { status: { conditions: [{ type: 'Ready', status: 'False' }] } })
  await evict(api)
  assert.ok((await api.get('pods', 'p')).metadata.deletionTimestamp)
  const { status } = await api.get('policy/v1/poddisruptionbudgets', 'b')
  assert.equal(status!.disruptionsAllowed, 0)
})

test('scale reads and writes the replicas of a controller', async () => {
  const api = new TestRegistry()
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const path = 'apps/v1/deployments'
  await api.create(path, {
    metadata: { name: 'd' },
    spec: { replicas: 3, selector: { matchLabels: { app: 'a' } }, template },
  })
  const scale = await api.get(`${path}/scale`, 'd')
  assert.equal(scale.kind, 'Scale')
  assert.deepEqual(scale.spec, { replicas: 3 })
  assert.deepEqual(scale.status, { replicas: 0, selector: 'app=a' })
  const body = { ...scale, spec: { replicas: 5 } }
  assert.deepEqual((await api.object('update', `${path}/scale`, { name: 'd', body })).spec, { replicas: 5 })
  const after = await api.get(path, 'd')
  assert.equal(after.spec!.replicas, 5)
  assert.equal(after.metadata.generation, 2)
  assert.equal((await failure(api.object('update', `${path}/scale`, { name: 'd', body }))).code, 409)
  await api.patch(`${path}/scale`, 'd', { spec: { replicas: 1 } })
  assert.equal((await api.get(path, 'd')).spec!.replicas, 1)
  const status = await failure(api.patch(`${path}/scale`, 'd', { spec: { replicas: -1 } }))
  assert.match(status.message, /spec\.replicas: Invalid value: -1: must be greater than or equal to 0/)
})

test('a token is issued for an account, bound to a pod that runs as it', async () => {
  const api = new TestRegistry()
  const account = await api.create('serviceaccounts', { metadata: { name: 'robot' } })
  const made = await api.create('pods', pod('p', { serviceAccountName: 'robot' }))
  const request = (boundObjectRef?: object, expirationSeconds = 600) => ({
    spec: { audiences: ['me'], expirationSeconds, ...(boundObjectRef && { boundObjectRef }) },
  })
  const send = (body: object) => api.create('serviceaccounts/token', body, { name: 'robot' })
  const answer = await send(request({ kind: 'Pod', apiVersion: 'v1', name: 'p', uid: made.metadata.uid }))
  assert.equal(answer.kind, 'TokenRequest')
  assert.deepEqual(answer.status, { token: 'a-token', expirationTimestamp: '2026-01-01T01:00:00Z' })
  assert.deepEqual(api.tokenRequests, [
    {
      namespace: 'ns',
      serviceAccount: 'robot',
      uid: account.metadata.uid,
      audiences: ['me'],
      expirationSeconds: 600,
      boundObject: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: made.metadata.uid },
    },
  ])
  const short = await failure(send(request(undefined, 10)))
  assert.match(
    short.message,
    /spec\.expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes/,
  )
  assert.equal(
    (await failure(send(request({ kind: 'Pod', apiVersion: 'v1', name: 'q' })))).message,
    'pods "q" not found',
  )
  await api.create('pods', pod('other', { serviceAccountName: 'default' }))
  const wrong = await failure(send(request({ kind: 'Pod', apiVersion: 'v1', name: 'other' })))
  assert.match(wrong.message, /to pod running with different serviceaccount name\./)
})

test('what is not served is not found', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  for (const resource of ['pods/nonsense', 'nonsense']) {
    const status = await failure(api.get(resource, 'p'))
    assert.deepEqual([status.code, status.message], [404, 'the server could not find the requested resource'])
  }
})
