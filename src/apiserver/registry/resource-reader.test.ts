import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, pod, TestRegistry } from './test-registry.ts'

const names = (list: { items: { metadata: { name: string } }[] }) =>
  list.items.map(item => item.metadata.name)

async function withPods(...names: string[]): Promise<TestRegistry> {
  const api = new TestRegistry()
  for (const name of names) await api.create('pods', pod(name, {}, { labels: { app: name[0] } }))
  return api
}

async function bind(api: TestRegistry, name: string, node: string): Promise<void> {
  await api.object('create', 'pods/binding', { name, body: { metadata: { name }, target: { name: node } } })
}

test('lists select by labels and fields, in one namespace or all', async () => {
  const api = await withPods('a1', 'a2', 'b1')
  await api.create('pods', pod('a3', {}, { labels: { app: 'a' } }), { namespace: 'other' })
  await bind(api, 'a2', 'n1')
  const cases: [options: object, expected: string[]][] = [
    [{}, ['a1', 'a2', 'b1']],
    [{ labelSelector: 'app=a' }, ['a1', 'a2']],
    [{ labelSelector: 'app notin (a)' }, ['b1']],
    [{ fieldSelector: 'metadata.name=b1' }, ['b1']],
    [{ fieldSelector: 'metadata.name=b1', labelSelector: 'app=a' }, []],
    [{ fieldSelector: 'metadata.name!=b1' }, ['a1', 'a2']],
    [{ fieldSelector: 'spec.nodeName=n1' }, ['a2']],
    [{ fieldSelector: 'spec.nodeName=' }, ['a1', 'b1']],
    [
      { fieldSelector: 'status.phase=Pending,spec.hostNetwork=false,spec.restartPolicy=Always' },
      ['a1', 'a2', 'b1'],
    ],
  ]
  for (const [options, expected] of cases) assert.deepEqual(names(await api.list('pods', options)), expected)
  const everywhere = await api.object('list', 'pods', {
    namespace: undefined,
    options: { labelSelector: 'app=a' },
  } as never)
  assert.deepEqual(names(everywhere as never), ['a1', 'a2', 'a3'])
})

test('events are found by the object that they are about', async () => {
  const api = new TestRegistry()
  const event = (name: string, about: string) => ({
    metadata: { name },
    involvedObject: { kind: 'Pod', name: about, namespace: 'ns', uid: `uid-${about}` },
    reason: 'Started',
    type: 'Normal',
    source: { component: 'kubelet' },
  })
  await api.create('events', event('e1', 'p'))
  await api.create('events', event('e2', 'q'))
  const fieldSelector =
    'involvedObject.name=p,involvedObject.namespace=ns,involvedObject.uid=uid-p,source=kubelet,reason=Started'
  assert.deepEqual(names(await api.list('events', { fieldSelector })), ['e1'])
})

test('selectors that mean nothing are refused', async () => {
  const api = new TestRegistry()
  const cases: [resource: string, options: object, message: string][] = [
    ['pods', { fieldSelector: 'spec.image=x' }, 'field label not supported: spec.image'],
    [
      'configmaps',
      { fieldSelector: 'data.x=y' },
      '"data.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    [
      'pods',
      { fieldSelector: 'spec.nodeName' },
      "invalid selector: 'spec.nodeName'; can't understand 'spec.nodeName'",
    ],
  ]
  for (const [resource, options, message] of cases) {
    const status = await failure(api.list(resource, options))
    assert.deepEqual([status.code, status.message], [400, message])
  }
  assert.equal((await failure(api.list('pods', { labelSelector: 'a in' }))).code, 400)
})

test('pages join into the list as it was at the first page', async () => {
  const api = await withPods('a1', 'a2', 'b1', 'b2', 'b3')
  const first = await api.list('pods', { limit: 2 })
  assert.deepEqual(names(first), ['a1', 'a2'])
  assert.equal(first.metadata.remainingItemCount, 3)
  await api.create('pods', pod('a9'))
  await api.object('delete', 'pods', { name: 'b2' })
  const second = await api.list('pods', { limit: 2, continue: first.metadata.continue! })
  assert.deepEqual(names(second), ['b1', 'b2'])
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion)
  const third = await api.list('pods', { limit: 2, continue: second.metadata.continue! })
  assert.deepEqual(names(third), ['b3'])
  assert.equal(third.metadata.continue, undefined)
})

test('a page is filled with what matches, however far apart', async () => {
  const api = await withPods('a1', 'b1', 'b2', 'b3', 'a2', 'c1', 'a3')
  const first = await api.list('pods', { limit: 2, labelSelector: 'app=a' })
  assert.deepEqual(names(first), ['a1', 'a2'])
  assert.equal(first.metadata.remainingItemCount, undefined)
  const second = await api.list('pods', {
    limit: 2,
    labelSelector: 'app=a',
    continue: first.metadata.continue!,
  })
  assert.deepEqual(names(second), ['a3'])
})

test('a token whose revision is compacted is answered with one that goes on without consistency', async () => {
  const api = await withPods('a1', 'a2', 'b1')
  const first = await api.list('pods', { limit: 1 })
  await api.create('pods', pod('a3'))
  await api.storage.compact(api.storage.revision())
  const status = await failure(api.list('pods', { limit: 1, continue: first.metadata.continue! }))
  assert.deepEqual([status.code, status.reason], [410, 'Expired'])
  assert.match(
    status.message,
    /^The provided continue parameter is too old to display a consistent list result\./,
  )
  assert.deepEqual(names(await api.list('pods', { continue: status.metadata.continue! })), ['a2', 'a3', 'b1'])
  assert.equal((await failure(api.list('pods', { continue: 'rubbish' }))).code, 400)
})

test('resourceVersion of a list means exactly, at least, or anything', async () => {
  const api = await withPods('a1')
  const old = (await api.list('pods')).metadata.resourceVersion
  await api.create('pods', pod('a2'))
  const current = api.storage.revision()
  assert.deepEqual(names(await api.list('pods', { resourceVersion: old })), ['a1', 'a2'])
  assert.deepEqual(names(await api.list('pods', { resourceVersion: '0' })), ['a1', 'a2'])
  assert.deepEqual(names(await api.list('pods', { resourceVersion: old, resourceVersionMatch: 'Exact' })), [
    'a1',
  ])
  assert.deepEqual(names(await api.list('pods', { resourceVersion: old, limit: 5 })), ['a1'])
  const future = await failure(api.list('pods', { resourceVersion: String(current + 10) }))
  assert.deepEqual([future.code, future.reason], [504, 'Timeout'])
  assert.equal(future.message, `Timeout: Too large resource version: ${current + 10}, current: ${current}`)
  assert.deepEqual(future.details!.causes, [
    { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
  ])
  assert.equal((await failure(api.get('pods', 'a1', { options: { resourceVersion: '999' } }))).code, 504)
  await api.storage.compact(Number(old))
  const stale = await failure(api.list('pods', { resourceVersion: '1', resourceVersionMatch: 'Exact' }))
  assert.deepEqual(
    [stale.code, stale.message],
    [410, 'The resourceVersion for the provided list is too old.'],
  )
})

test('options that contradict each other are refused', async () => {
  const api = new TestRegistry()
  const status = await failure(api.list('pods', { resourceVersionMatch: 'Exact' }))
  assert.equal(status.code, 422)
  assert.equal(
    status.message,
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
  )
  assert.equal((await failure(api.watch('pods', { sendInitialEvents: true }))).code, 422)
})

test('a watch without a version begins with what is there', async () => {
  const api = await withPods('a1', 'a2')
  const watch = await api.watch('pods')
  await api.create('pods', pod('a3'))
  await api.object('delete', 'pods', { name: 'a1' })
  assert.deepEqual(await watch.seen(), ['ADDED a1', 'ADDED a2', 'ADDED a3', 'MODIFIED a1', 'DELETED a1'])
})

test('a watch from a version misses nothing since, whether recent or long ago', async () => {
  const api = await withPods('a1')
  const from = (await api.list('pods')).metadata.resourceVersion
  await api.create('pods', pod('a2'))
  const cold = await api.watch('pods', { resourceVersion: from })
  await api.create('pods', pod('a3'))
  const warm = await api.watch('pods', { resourceVersion: String(Number(from) + 1) })
  await api.create('pods', pod('a4'))
  assert.deepEqual(await cold.seen(), ['ADDED a2', 'ADDED a3', 'ADDED a4'])
  assert.deepEqual(await warm.seen(), ['ADDED a3', 'ADDED a4'])
})

test('objects come into sight and go out of sight as they change', async () => {
  const api = await withPods('a1', 'a2')
  const from = String(api.storage.revision())
  const onN1 = await api.watch('pods', { resourceVersion: from, fieldSelector: 'spec.nodeName=n1' })
  const unbound = await api.watch('pods', { resourceVersion: from, fieldSelector: 'spec.nodeName=' })
  const labelled = await api.watch('pods', { resourceVersion: from, labelSelector: 'app=z' })
  const single = await api.watch('pods', { resourceVersion: from, fieldSelector: 'metadata.name=a2' })
  await bind(api, 'a1', 'n1')
  await api.patch('pods', 'a1', { metadata: { labels: { app: 'z' } } })
  await api.patch('pods', 'a1', { metadata: { labels: { app: 'y' } } })
  await api.patch('pods', 'a2', { metadata: { labels: { app: 'q' } } })
  assert.deepEqual(await onN1.seen(), ['ADDED a1', 'MODIFIED a1', 'MODIFIED a1'])
  assert.deepEqual(await unbound.seen(), ['DELETED a1', 'MODIFIED a2'])
  assert.deepEqual(await labelled.seen(), ['ADDED a1', 'DELETED a1'])
  assert.deepEqual(await single.seen(), ['MODIFIED a2'])
  const gone = labelled.events[1]!.object.metadata
  assert.equal(gone.labels!.app, 'z', 'the last state that was in sight')
  assert.equal(
    gone.resourceVersion,
    onN1.events[2]!.object.metadata.resourceVersion,
    'the version that took it away',
  )
})

test('initial events end with a bookmark that says so', async () => {
  const api = await withPods('a1')
  const watch = await api.watch('pods', {
    sendInitialEvents: true,
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: true,
  })
  assert.deepEqual(await watch.seen(), ['ADDED a1', 'BOOKMARK'])
  const { object } = watch.events[1]!
  assert.equal(object.kind, 'Pod')
  assert.deepEqual(object.metadata.annotations, { 'k8s.io/initial-events-end': 'true' })
  assert.equal(object.metadata.resourceVersion, String(api.storage.revision()))
})

test('bookmarks come every minute to those who asked, when there is something to tell', async () => {
  const api = await withPods('a1')
  const stop = new AbortController()
  const running = api.registry.run(stop.signal)
  const from = String(api.storage.revision())
  const asked = await api.watch('pods', { resourceVersion: from, allowWatchBookmarks: true })
  const silent = await api.watch('pods', { resourceVersion: from })
  await api.create('configmaps', { metadata: { name: 'elsewhere' } })
  await api.clock.advance(60_000)
  assert.deepEqual(await asked.seen(), ['BOOKMARK'])
  assert.equal(asked.events[0]!.object.metadata.resourceVersion, String(api.storage.revision()))
  await api.clock.advance(60_000)
  assert.deepEqual(await asked.seen(), ['BOOKMARK'])
  assert.deepEqual(await silent.seen(), [])
  stop.abort()
  await running
})

test('a watch ends with its timeout and with its signal', async () => {
  const api = await withPods()
  const timed = await api.watch('pods', { timeoutSeconds: 5 })
  const stop = new AbortController()
  const aborted = await api.watch('pods', {}, { signal: stop.signal })
  await api.clock.advance(4_999)
  assert.equal(timed.ended, false)
  await api.clock.advance(1)
  assert.equal(timed.ended, true)
  stop.abort()
  await aborted.seen()
  assert.equal(aborted.ended, true)
})

test('a watch from before the compaction is expired', async () => {
  const api = await withPods('a1', 'a2')
  const compacted = api.storage.revision()
  await api.storage.compact(compacted)
  const status = await failure(api.watch('pods', { resourceVersion: '1' }))
  assert.deepEqual(
    [status.code, status.reason, status.message],
    [410, 'Expired', `too old resource version: 1 (${compacted})`],
  )
  assert.equal((await failure(api.watch('pods', { resourceVersion: '99' }))).code, 504)
})

test('events of both groups are one', async () => {
  const api = new TestRegistry()
  const path = 'events.k8s.io/v1/events'
  const watch = await api.watch(path)
  const body = {
    metadata: { name: 'e' },
    regarding: { kind: 'Pod', name: 'p', namespace: 'ns' },
    reason: 'Scheduled',
    note: 'Successfully assigned',
    type: 'Normal',
    action: 'Binding',
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'default-scheduler',
    reportingInstance: 'x',
  }
  const made = await api.create(path, body)
  assert.equal(made.note, 'Successfully assigned')
  const core = await api.get('events', 'e')
  assert.equal(core.apiVersion, 'v1')
  assert.equal(core.message, 'Successfully assigned')
  assert.equal(core.involvedObject!.name, 'p')
  assert.equal(core.reportingComponent, 'default-scheduler')
  await api.patch('events', 'e', { message: 'changed' })
  assert.equal((await api.get(path, 'e')).note, 'changed')
  assert.deepEqual(await watch.seen(), ['ADDED e', 'MODIFIED e'])
  assert.equal(watch.events[0]!.object.note, 'Successfully assigned')
})

test('events are deleted an hour after they were last written', async () => {
  const api = new TestRegistry()
  const stop = new AbortController()
  const about = { involvedObject: { kind: 'Pod', name: 'p', namespace: 'ns' } }
  await api.create('events', { metadata: { name: 'before' }, ...about })
  const running = api.registry.run(stop.signal)
  await api.clock.advance(30 * 60_000)
  await api.create('events', { metadata: { name: 'later' }, ...about })
  await api.clock.advance(31 * 60_000)
  assert.deepEqual(names(await api.list('events')), ['later'])
  await api.patch('events', 'later', { count: 2 })
  await api.clock.advance(40 * 60_000)
  assert.deepEqual(names(await api.list('events')), ['later'])
  await api.clock.advance(25 * 60_000)
  assert.deepEqual(names(await api.list('events')), [])
  stop.abort()
  await running
})
