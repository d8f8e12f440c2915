import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, type Loose, pod, START, TestRegistry } from './test-registry.ts'

const configMap = (name: string, data: object = {}, metadata: object = {}) => ({
  metadata: { name, ...metadata },
  data,
})

test('create fills in what the server owns', async () => {
  const api = new TestRegistry()
  const made = await api.create(
    'configmaps',
    configMap('a', { k: 'v' }, { uid: 'mine', selfLink: '/x', generation: 7 }),
  )
  assert.equal(made.kind, 'ConfigMap')
  assert.equal(made.apiVersion, 'v1')
  assert.match(made.metadata.uid!, /^[0-9a-f-]{36}$/)
  assert.equal(made.metadata.creationTimestamp, '2026-01-01T00:00:00Z')
  assert.equal(made.metadata.namespace, 'ns')
  assert.equal(made.metadata.generation, undefined)
  assert.equal(made.metadata.selfLink, undefined)
  assert.equal(Number(made.metadata.resourceVersion), api.storage.revision())
  assert.deepEqual(await api.get('configmaps', 'a'), made)
})

test('create answers what is wrong with upstream’s texts', async () => {
  const api = new TestRegistry()
  await api.create('configmaps', configMap('a'))
  const cases: [body: object, code: number, message: string][] = [
    [configMap('a'), 409, 'configmaps "a" already exists'],
    [
      configMap('b', {}, { namespace: 'other' }),
      400,
      'the namespace of the provided object does not match the namespace sent on the request',
    ],
    [
      configMap('b', {}, { resourceVersion: '3' }),
      500,
      'resourceVersion should not be set on objects to be created',
    ],
    [
      { apiVersion: 'apps/v1', ...configMap('b') },
      400,
      'the API version in the data (apps/v1) does not match the expected API version (v1)',
    ],
  ]
  for (const [body, code, message] of cases) {
    const status = await failure(api.create('configmaps', body))
    assert.deepEqual([status.code, status.message], [code, message])
  }
})

test('a bad object is refused with its kind, name and causes', async () => {
  const api = new TestRegistry()
  const status = await failure(api.create('pods', { metadata: { name: 'p' }, spec: { containers: [] } }))
  assert.equal(status.code, 422)
  assert.equal(status.message, 'Pod "p" is invalid: spec.containers: Required value')
  assert.deepEqual(status.details!.causes, [
    { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers' },
  ])
})

test('a generated name has five characters without vowels, and a clash finds another', async t => {
  const api = new TestRegistry()
  const made = await api.create('configmaps', { metadata: { generateName: 'job-' } })
  assert.match(made.metadata.name!, /^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  let calls = 0
  t.mock.method(Math, 'random', () => (calls++ < 10 ? 0 : 0.999))
  const [first, second] = [
    await api.create('configmaps', { metadata: { generateName: 'job-' } }),
    await api.create('configmaps', { metadata: { generateName: 'job-' } }),
  ]
  assert.deepEqual([first.metadata.name, second.metadata.name], ['job-bbbbb', 'job-99999'])
  const status = await failure(
    (async () => {
      await api.create('configmaps', { metadata: { generateName: 'job-' } })
    })(),
  )
  assert.equal(
    status.message,
    'configmaps "job-99999" already exists, the server was not able to generate a unique name for the object',
  )
  assert.equal(status.details!.retryAfterSeconds, 1)
})

test('dry run answers what would be and stores nothing', async () => {
  const api = new TestRegistry()
  const dry = { options: { dryRun: ['All'] } }
  const made = await api.create('configmaps', configMap('a'), dry)
  assert.equal(made.metadata.resourceVersion, undefined)
  assert.equal((await failure(api.get('configmaps', 'a'))).code, 404)
  const stored = await api.create('configmaps', configMap('a'))
  assert.equal((await failure(api.create('configmaps', configMap('a'), dry))).code, 409)
  const patched = await api.patch('configmaps', 'a', { data: { k: 'new' } }, 'merge', dry)
  assert.equal(patched.data!.k, 'new')
  await api.object('delete', 'configmaps', { name: 'a', deleteOptions: { dryRun: ['All'] } })
  assert.deepEqual(await api.get('configmaps', 'a'), stored)
  const status = await failure(api.create('configmaps', configMap('b'), { options: { dryRun: ['Some'] } }))
  assert.equal(
    status.message,
    'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
  )
})

test('update is refused when another write came first, and is unconditional without a version', async () => {
  const api = new TestRegistry()
  const first = await api.create('configmaps', configMap('a'))
  const second = await api.update('configmaps', { ...first, data: { k: '2' } } as unknown as Loose)
  const stale = await failure(api.update('configmaps', { ...first, data: { k: '3' } } as unknown as Loose))
  assert.equal(stale.code, 409)
  assert.equal(
    stale.message,
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  )
  const { resourceVersion: _, ...metadata } = second.metadata!
  const third = await api.update('configmaps', { ...second, metadata, data: { k: '4' } } as unknown as Loose)
  assert.equal(third.data!.k, '4')
  assert.equal(third.metadata.uid, first.metadata.uid)
})

test('an update that changes nothing is not written', async () => {
  const api = new TestRegistry()
  const made = await api.create('configmaps', configMap('a', { k: 'v' }))
  const before = api.storage.revision()
  const same = await api.update('configmaps', structuredClone(made))
  assert.equal(same.metadata.resourceVersion, made.metadata.resourceVersion)
  await api.patch('configmaps', 'a', { data: { k: 'v' } })
  assert.equal(api.storage.revision(), before)
})

test('update refuses a foreign uid, a foreign name and a missing object', async () => {
  const api = new TestRegistry()
  const made = await api.create('configmaps', configMap('a'))
  const foreign = { ...made, metadata: { ...made.metadata!, uid: 'other' } } as unknown as Loose
  const status = await failure(api.update('configmaps', foreign))
  assert.equal(status.code, 409)
  assert.match(status.message, /Precondition failed: UID in precondition: other, UID in object meta: /)
  const named = await failure(api.update('configmaps', made, { name: 'b' }))
  assert.equal(named.message, 'the name of the object (a) does not match the name on the URL (b)')
  const { resourceVersion: _, uid: __, ...metadata } = made.metadata!
  const missing = await failure(
    api.update('configmaps', { ...made, metadata: { ...metadata, name: 'z' } } as unknown as Loose),
  )
  assert.equal(missing.message, 'configmaps "z" not found')
})

test('a PUT creates what may be created so', async () => {
  const api = new TestRegistry()
  const lease = { metadata: { name: 'l' }, spec: { holderIdentity: 'me' } }
  const response = await api.send('update', 'coordination.k8s.io/v1/leases', { name: 'l', body: lease })
  assert.equal(response.kind === 'object' && response.code, 201)
  const late = { metadata: { name: 'gone', resourceVersion: '7' }, spec: {} }
  const again = await api.object('update', 'coordination.k8s.io/v1/leases', { name: 'gone', body: late })
  assert.equal(again.metadata.resourceVersion, String(api.storage.revision()))
  const versionless = await failure(
    api.object('update', 'coordination.k8s.io/v1/leases', {
      name: 'l',
      body: { metadata: { name: 'l' }, spec: {} },
    }),
  )
  assert.equal(
    versionless.message,
    'Lease.coordination.k8s.io "l" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
  )
})

test('concurrent patches all land; one that names a version fails when it is not the newest', async () => {
  const api = new TestRegistry()
  const made = await api.create('configmaps', configMap('a'))
  await Promise.all(['x', 'y', 'z'].map(key => api.patch('configmaps', 'a', { data: { [key]: '1' } })))
  assert.deepEqual((await api.get('configmaps', 'a')).data, { x: '1', y: '1', z: '1' })
  const metadata = { resourceVersion: made.metadata.resourceVersion }
  assert.equal((await failure(api.patch('configmaps', 'a', { metadata, data: { q: '1' } }))).code, 409)
})

test('the generation counts changes of the spec; status changes only through its subresource', async () => {
  const api = new TestRegistry()
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const body = {
    metadata: { name: 'd' },
    spec: { replicas: 1, selector: { matchLabels: { app: 'a' } }, template },
    status: { replicas: 9 },
  }
  const path = 'apps/v1/deployments'
  const made = await api.create(path, body)
  assert.equal(made.metadata.generation, 1)
  assert.deepEqual(made.status, {})
  const labelled = await api.patch(path, 'd', { metadata: { labels: { x: 'y' } }, status: { replicas: 3 } })
  assert.equal(labelled.metadata.generation, 1)
  assert.deepEqual(labelled.status, {})
  assert.equal((await api.patch(path, 'd', { spec: { replicas: 2 } })).metadata.generation, 2)
  assert.equal((await api.patch(path, 'd', { metadata: { annotations: { x: 'y' } } })).metadata.generation, 3)
  const reported = await api.patch(`${path}/status`, 'd', { spec: { replicas: 5 }, status: { replicas: 2 } })
  assert.equal(reported.spec!.replicas, 2)
  assert.equal(reported.status!.replicas, 2)
  assert.equal(reported.metadata.generation, 3)
})

test('every built-in resource that is listed can be listed and watched', async () => {
  const api = new TestRegistry()
  const { builtinResources } = await import('../../api/resources.ts')
  for (const { group, version, resource, kind, verbs } of builtinResources) {
    if (!verbs.includes('list')) continue
    const path = group ? `${group}/${version}/${resource}` : resource
    const list = await api.object('list', path, { version })
    assert.equal(list.kind, `${kind}List`)
    assert.equal(list.apiVersion, group ? `${group}/${version}` : version)
  }
})

test('a pod begins Pending with its QoS class, and with a condition while it is gated', async () => {
  const api = new TestRegistry()
  const made = await api.create('pods', { ...pod('p'), status: { phase: 'Running' } })
  assert.deepEqual(made.status, { phase: 'Pending', qosClass: 'BestEffort' })
  assert.equal(made.metadata.generation, 1)
  const gated = await api.create('pods', pod('g', { schedulingGates: [{ name: 'wait' }] }))
  const condition = gated.status!.conditions![0]
  assert.equal(condition!.type, 'PodScheduled')
  assert.equal(condition!.status, 'False')
  assert.equal(condition!.reason, 'SchedulingGated')
})

test('a negative grace period of a pod is a second, also where it was stored before', async () => {
  const api = new TestRegistry()
  const made = await api.create('pods', pod('p', { terminationGracePeriodSeconds: -1 }))
  assert.equal(made.spec!.terminationGracePeriodSeconds, 1)
  const again = structuredClone(made) as unknown as { spec: { terminationGracePeriodSeconds: number } }
  again.spec.terminationGracePeriodSeconds = -5
  const updated = await api.update('pods', again as unknown as Loose)
  assert.equal(updated.spec!.terminationGracePeriodSeconds, 1)
  assert.equal(updated.metadata.generation, 1)
})

test('pod status updates leave the spec, keep the QoS class and remembered generations', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  const observed = {
    conditions: [{ type: 'Ready', status: 'False', observedGeneration: 1 }],
    observedGeneration: 1,
  }
  await api.patch('pods/status', 'p', { status: observed })
  const current = await api.get('pods', 'p')
  const body = structuredClone(current) as unknown as { spec: object; status: object }
  body.spec = { ...body.spec, nodeName: 'elsewhere' }
  body.status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  const updated = await api.update('pods/status', body as unknown as Loose)
  assert.equal(updated.spec!.nodeName, undefined)
  assert.equal(updated.status!.qosClass, 'BestEffort')
  assert.equal(updated.status!.observedGeneration, 1)
  assert.equal(updated.status!.conditions![0]!.observedGeneration, 1)
  assert.equal(updated.metadata.generation, 1)
})

test('a pod’s image may change and counts as a generation', async () => {
  const api = new TestRegistry()
  await api.create('pods', pod('p'))
  const patched = await api.patch(
    'pods',
    'p',
    { spec: { containers: [{ name: 'c', image: 'nginx:2' }] } },
    'strategic',
  )
  assert.equal(patched.metadata.generation, 2)
  assert.equal(patched.spec!.containers![0]!.image, 'nginx:2')
  const status = await failure(api.patch('pods', 'p', { spec: { hostNetwork: true } }))
  assert.equal(status.code, 422)
  assert.match(
    status.message,
    /^Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than/,
  )
})

test('creation time comes from the clock', async () => {
  const api = new TestRegistry()
  await api.clock.advance(61_500)
  const made = await api.create('configmaps', configMap('a'))
  assert.equal(Date.parse(made.metadata.creationTimestamp!), START + 61_000)
})

test('unknown fields are dropped, warned of or refused, as the request says', async () => {
  const api = new TestRegistry()
  const body = { ...configMap('a'), nonsense: 1 }
  const strict = await failure(api.create('configmaps', body, { options: { fieldValidation: 'Strict' } }))
  assert.equal(
    strict.message,
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "nonsense"',
  )
  const warned = await api.send('create', 'configmaps', { body, options: { fieldValidation: 'Warn' } })
  assert.deepEqual(warned.kind === 'object' && warned.warnings, ['unknown field "nonsense"'])
  assert.equal((await api.get('configmaps', 'a')).nonsense, undefined)
})

test('a pod whose name is no DNS label is made with a warning', async () => {
  const api = new TestRegistry()
  const response = await api.send('create', 'pods', { body: pod('a.b') })
  assert.match(
    (response.kind === 'object' && response.warnings?.[0]) || '',
    /^metadata\.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: \[/,
  )
})

test("a Secret's stringData is kept as data, and wins over it", async () => {
  const api = new TestRegistry()
  const data = { kept: 'b2xk', both: 'b2xk' }
  const made = await api.create('secrets', {
    metadata: { name: 's' },
    data,
    stringData: { both: 'new', own: 'ü' },
  })
  assert.deepEqual(made.data, { kept: 'b2xk', both: 'bmV3', own: 'w7w=' })
  assert.ok(!('stringData' in made))
  const patched = await api.patch('secrets', 's', { stringData: { kept: 'x' } })
  assert.deepEqual(patched.data, { kept: 'eA==', both: 'bmV3', own: 'w7w=' })
})
