import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, type Loose, pod, TestRegistry } from './test-registry.ts'

async function bound(api: TestRegistry, name: string, metadata: object = {}): Promise<Loose> {
  await api.create('pods', pod(name, {}, metadata))
  const binding = { metadata: { name }, target: { kind: 'Node', name: 'n1' } }
  await api.object('create', 'pods/binding', { name, body: binding })
  return api.get('pods', name)
}

test('a scheduled pod terminates gracefully, then goes with grace zero', async () => {
  const api = new TestRegistry()
  await bound(api, 'p')
  const watch = await api.watch('pods', { resourceVersion: String(api.storage.revision()) })
  const marked = await api.object('delete', 'pods', { name: 'p' })
  assert.equal(marked.metadata.deletionTimestamp, '2026-01-01T00:00:30Z')
  assert.equal(marked.metadata.generation, 2)
  const gone = await api.object('delete', 'pods', {
    name: 'p',
    deleteOptions: { gracePeriodSeconds: 0, preconditions: { uid: marked.metadata.uid! } },
  })
  assert.equal(gone.kind, 'Pod')
  assert.equal((await failure(api.get('pods', 'p'))).message, 'pods "p" not found')
  assert.deepEqual(await watch.seen(), ['MODIFIED p', 'DELETED p'])
})

test('an object without grace is answered with a Status', async () => {
  const api = new TestRegistry()
  const made = await api.create('configmaps', { metadata: { name: 'a' } })
  const status = await api.object('delete', 'configmaps', { name: 'a' })
  assert.equal(status.status, 'Success')
  assert.deepEqual(status.details, { name: 'a', kind: 'configmaps', uid: made.metadata.uid })
})

test('finalizers hold an object until the last one is removed; new ones are refused meanwhile', async () => {
  const api = new TestRegistry()
  await api.create('configmaps', { metadata: { name: 'a', finalizers: ['x/y'] } })
  const marked = await api.object('delete', 'configmaps', { name: 'a' })
  assert.equal(marked.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
  assert.equal(marked.metadata.deletionGracePeriodSeconds, 0)
  const late = await failure(api.patch('configmaps', 'a', { metadata: { finalizers: ['x/y', 'z/z'] } }))
  assert.match(
    late.message,
    /no new finalizers can be added if the object is being deleted, found new finalizers \[\]string\{"z\/z"\}$/,
  )
  const again = await failure(api.create('configmaps', { metadata: { name: 'a' } }))
  assert.equal(again.message, 'object is being deleted: configmaps "a" already exists')
  await api.patch('configmaps', 'a', { metadata: { finalizers: null } })
  assert.equal((await failure(api.get('configmaps', 'a'))).code, 404)
})

test('a pod with a finalizer stays after its grace, until the finalizer goes', async () => {
  const api = new TestRegistry()
  await bound(api, 'p', { finalizers: ['x/y'] })
  await api.object('delete', 'pods', { name: 'p' })
  const held = await api.object('delete', 'pods', { name: 'p', deleteOptions: { gracePeriodSeconds: 0 } })
  assert.equal(held.metadata.deletionGracePeriodSeconds, 0)
  await api.patch('pods', 'p', { metadata: { finalizers: [] } })
  assert.equal((await failure(api.get('pods', 'p'))).code, 404)
})

test('removing the finalizer of a pod that still has grace does not remove the pod', async () => {
  const api = new TestRegistry()
  await bound(api, 'p', { finalizers: ['x/y'] })
  await api.object('delete', 'pods', { name: 'p' })
  const patched = await api.patch('pods', 'p', { metadata: { finalizers: null } })
  assert.equal(patched.metadata.deletionGracePeriodSeconds, 30)
  assert.equal((await api.get('pods', 'p')).metadata.name, 'p')
})

test('a deletion cannot be undone by an update', async () => {
  const api = new TestRegistry()
  await bound(api, 'p')
  const before = await api.get('pods', 'p')
  await api.object('delete', 'pods', { name: 'p' })
  const { resourceVersion: _, ...metadata } = before.metadata!
  const sentBack = await api.update('pods', { ...before, metadata } as unknown as Loose)
  assert.equal(sentBack.metadata.deletionTimestamp, '2026-01-01T00:00:30Z')
})

test('a collection is deleted by selector', async () => {
  const api = new TestRegistry()
  for (const [name, tier] of [
    ['a', 'web'],
    ['b', 'db'],
    ['c', 'web'],
  ]) {
    await api.create('configmaps', { metadata: { name, labels: { tier } } })
  }
  const list = await api.object('deletecollection', 'configmaps', { options: { labelSelector: 'tier=web' } })
  assert.equal(list.kind, 'ConfigMapList')
  assert.deepEqual(
    list.items!.map(item => item.metadata.name),
    ['a', 'c'],
  )
  assert.deepEqual(
    (await api.list('configmaps')).items.map(item => item.metadata.name),
    ['b'],
  )
})

test('a namespace terminates until it is finalized', async () => {
  const api = new TestRegistry()
  const made = await api.create('namespaces', { metadata: { name: 'team' }, status: { phase: 'Gone' } })
  assert.deepEqual(made.spec, { finalizers: ['kubernetes'] })
  assert.deepEqual(made.status, { phase: 'Active' })
  assert.equal(made.metadata.labels!['kubernetes.io/metadata.name'], 'team')
  const patched = await api.patch('namespaces', 'team', {
    spec: { finalizers: [] },
    metadata: { annotations: { a: 'b' } },
  })
  assert.deepEqual(patched.spec, { finalizers: ['kubernetes'] })
  const terminating = await api.object('delete', 'namespaces', { name: 'team' })
  assert.equal(terminating.status!.phase, 'Terminating')
  assert.equal(terminating.metadata.deletionTimestamp, '2026-01-01T00:00:00Z')
  await api.object('delete', 'namespaces', { name: 'team' })
  const finalized = { ...terminating, metadata: { name: 'team' }, spec: {} }
  await api.object('update', 'namespaces/finalize', { name: 'team', body: finalized })
  assert.equal((await failure(api.get('namespaces', 'team'))).message, 'namespaces "team" not found')
})
