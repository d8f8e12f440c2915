// Managed fields through the registry: what clients send, and what they get back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestOptions } from '../../api/request.ts'
import { failure, type Loose, TestRegistry } from '../registry/test-registry.ts'

const by = (fieldManager: string, more: RequestOptions = {}) => ({ options: { fieldManager, ...more } })
const config = (data: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', ...metadata },
  data,
})

const configMap = (name: string, data: object) => ({ metadata: { name }, data })

const entries = (object: Loose): [string, unknown][] =>
  (object.metadata.managedFields ?? []).map(({ manager, operation, subresource, fieldsV1 }) => [
    `${manager} ${operation}${subresource ? ` ${subresource}` : ''}`,
    fieldsV1,
  ])

test('a creation belongs to the field manager, else to what the user agent calls itself', async () => {
  const api = new TestRegistry()
  const named = await api.create('configmaps', configMap('a', { k: 'v' }), by('me'))
  assert.deepEqual(entries(named), [['me Update', { 'f:data': { '.': {}, 'f:k': {} } }]])
  const { apiVersion, fieldsType, time = '' } = named.metadata.managedFields![0]!
  assert.deepEqual([apiVersion, fieldsType], ['v1', 'FieldsV1'])
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  const agent = await api.create('configmaps', configMap('b', { k: 'v' }), {
    userAgent: 'kubectl-x/v1.36 (linux)',
  })
  assert.deepEqual(entries(agent), [['kubectl-x Update', { 'f:data': { '.': {}, 'f:k': {} } }]])
})

test('an apply creates what is not there, conflicts, and takes over by force', async () => {
  const api = new TestRegistry()
  const made = await api.send('patch', 'configmaps', {
    name: 'a',
    patch: { type: 'application/apply-patch+yaml', document: config({ k: '1', own: 'x' }) },
    ...by('first'),
  })
  assert.equal(made.kind === 'object' && made.code, 201)
  const status = await failure(api.patch('configmaps', 'a', config({ k: '2' }), 'apply', by('second')))
  assert.deepEqual([status.code, status.reason], [409, 'Conflict'])
  assert.equal(status.message, 'Apply failed with 1 conflict: conflict with "first": .data.k')
  const cause = { reason: 'FieldManagerConflict', message: 'conflict with "first"', field: '.data.k' }
  assert.deepEqual(status.details?.causes, [cause])
  const forced = await api.patch(
    'configmaps',
    'a',
    config({ k: '2' }),
    'apply',
    by('second', { force: true }),
  )
  assert.deepEqual(forced.data, { k: '2', own: 'x' })
  assert.deepEqual(entries(forced), [
    ['first Apply', { 'f:data': { 'f:own': {} } }],
    ['second Apply', { 'f:data': { 'f:k': {} } }],
  ])
})

test('what an update changed is named as such when an apply meets it, each owner once', async () => {
  const api = new TestRegistry()
  await api.create('configmaps', configMap('a', { k: '1', l: '1', m: '1' }), by('writer'))
  await api.patch('configmaps', 'a', { data: { m: '2' } }, 'merge', by('patcher'))
  const document = config({ k: '9', l: '9', m: '9' })
  const status = await failure(api.patch('configmaps', 'a', document, 'apply', by('me')))
  assert.equal(
    status.message,
    'Apply failed with 3 conflicts: conflicts with "patcher" using v1:\n- .data.m\nconflicts with "writer" using v1:\n- .data.k\n- .data.l',
  )
})

test('the same configuration again writes nothing', async () => {
  const api = new TestRegistry()
  const first = await api.patch('configmaps', 'a', config({ k: '1' }), 'apply', by('me'))
  const again = await api.patch('configmaps', 'a', config({ k: '1' }), 'apply', by('me'))
  assert.equal(again.metadata.resourceVersion, first.metadata.resourceVersion)
})

test('the status has owners of its own, and a main update owns none of it', async () => {
  const api = new TestRegistry()
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const spec = { selector: { matchLabels: { app: 'a' } }, template }
  await api.create(
    'apps/v1/deployments',
    { metadata: { name: 'd' }, spec, status: { replicas: 3 } },
    by('user'),
  )
  const patched = await api.patch(
    'apps/v1/deployments/status',
    'd',
    { status: { replicas: 1 }, spec: { paused: true } },
    'merge',
    by('controller'),
  )
  const [controller, user] = entries(patched)
  assert.equal(user![0], 'user Update')
  assert.ok(!('f:status' in (user![1] as object)))
  assert.deepEqual(controller, ['controller Update status', { 'f:status': { 'f:replicas': {} } }])
  const scaled = await api.patch(
    'apps/v1/deployments/scale',
    'd',
    { spec: { replicas: 5 } },
    'merge',
    by('hpa'),
  )
  assert.deepEqual(scaled.spec, { replicas: 5 })
  const owners = entries(await api.get('apps/v1/deployments', 'd')).map(([name]) => name)
  assert.deepEqual(owners.toSorted(), ['controller Update status', 'hpa Update scale', 'user Update'])
})

test("kubectl's apply takes over what its client-side apply has set, and keeps the annotation", async () => {
  const api = new TestRegistry()
  const annotation = 'kubectl.kubernetes.io/last-applied-configuration'
  const last = JSON.stringify(config({ k: '1' }))
  const clientSide = config({ k: '1' }, { annotations: { [annotation]: last } })
  await api.create('configmaps', clientSide, by('kubectl-client-side-apply'))
  const other = await failure(api.patch('configmaps', 'a', config({ k: '2' }), 'apply', by('other')))
  assert.equal(other.code, 409)
  const applied = await api.patch('configmaps', 'a', config({ k: '2' }), 'apply', by('kubectl'))
  assert.deepEqual(applied.data, { k: '2' })
  assert.match(applied.metadata.annotations?.[annotation] ?? '', /"k":"2"/)
})

test('an object that was never tracked belongs to before-first-apply', async () => {
  const api = new TestRegistry()
  const made = await api.create('configmaps', configMap('a', { k: '1' }), by('x'))
  const cleared = await api.update('configmaps', {
    ...made,
    metadata: { ...made.metadata, managedFields: [{}] },
  } as unknown as Loose)
  assert.equal(cleared.metadata.managedFields, undefined)
  const status = await failure(api.patch('configmaps', 'a', config({ k: '2' }), 'apply', by('me')))
  assert.match(status.message, /conflict with "before-first-apply" using v1: \.data\.k$/)
})

test('entries that a client made up or left out do not replace the stored ones', async () => {
  const api = new TestRegistry()
  const made = await api.create('configmaps', configMap('a', { k: '1' }), by('x'))
  const { managedFields, ...metadata } = made.metadata
  const changed = { ...made, metadata, data: { k: '1', l: '2' } } as unknown as Loose
  const without = await api.update('configmaps', changed, by('y'))
  assert.deepEqual(entries(without), [
    ['x Update', { 'f:data': { '.': {}, 'f:k': {} } }],
    ['y Update', { 'f:data': { 'f:l': {} } }],
  ])
  const broken = [{ manager: 'z', operation: 'Steal', fieldsType: 'FieldsV1', fieldsV1: {} }]
  const made2 = { ...changed, metadata: { ...metadata, managedFields: broken, resourceVersion: '' } } as Loose
  const answered = await api.update('configmaps', made2, by('y'))
  assert.deepEqual(entries(answered), entries(without))
})

test('not more than ten updaters are kept; the oldest are joined', async () => {
  const api = new TestRegistry()
  await api.create('configmaps', configMap('a', { k0: '' }), by('m0'))
  for (let n = 1; n < 14; n++) {
    await api.patch('configmaps', 'a', { data: { [`k${n}`]: '' } }, 'merge', by(`m${n}`))
  }
  const names = entries(await api.get('configmaps', 'a')).map(([name]) => name)
  assert.equal(names.length, 10)
  assert.ok(names.includes('ancient-changes Update'))
})

const refused: Record<string, [object, RequestOptions, number, RegExp]> = {
  'without a field manager': [
    config({}),
    {},
    422,
    /^PatchOptions\.meta\.k8s\.io "" is invalid: fieldManager: Required value: is required for apply patch$/,
  ],
  'of another version': [
    { ...config({}), apiVersion: 'v2' },
    { fieldManager: 'me' },
    400,
    /^Incorrect version specified in apply patch\. Specified patch version: v2, expected: v1$/,
  ],
  'with managed fields': [
    config({}, { managedFields: [{ manager: 'x' }] }),
    { fieldManager: 'me' },
    400,
    /^metadata\.managedFields must be nil$/,
  ],
  'of a field that does not exist': [
    { ...config({}), dat: {} },
    { fieldManager: 'me' },
    500,
    /^failed to create typed patch object \(ns\/a; v1, Kind=ConfigMap\): \.dat: field not declared in schema$/,
  ],
}
for (const [what, [document, options, code, message]] of Object.entries(refused)) {
  test(`an apply ${what} is refused`, async () => {
    const api = new TestRegistry()
    const status = await failure(api.patch('configmaps', 'a', document, 'apply', { options }))
    assert.equal(status.code, code)
    assert.match(status.message, message)
  })
}
