// What clients do with workloads without kubectl: every verb, the status and scale subresources, collections.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
} from '../../src/api/types/apps-v1.ts'
import type { Scale } from '../../src/api/types/autoscaling-v1.ts'
import type { Pod, ReplicationController } from '../../src/api/types/core-v1.ts'
import { ApiRequests, MERGE_PATCH } from './api-requests.ts'
import { eventually, TestCluster } from './test-cluster.ts'
import { type ListOf, NAMESPACE, type WithStatus } from './workload-endpoints.fixture.ts'

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

const template = (labels: Record<string, string>, image = 'nginx') => ({
  metadata: { labels },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image }] },
})

/** A workload named and labelled `app`. */
const workload = (
  kind: string,
  app: string,
  spec: object = {},
  labels: Record<string, string> = { app },
) => ({
  apiVersion: kind === 'ReplicationController' ? 'v1' : 'apps/v1',
  kind,
  metadata: { name: app, labels },
  spec: {
    ...(kind === 'DaemonSet' ? {} : { replicas: 1 }),
    selector: kind === 'ReplicationController' ? labels : { matchLabels: labels },
    ...(kind === 'StatefulSet' && { serviceName: app }),
    template: template(labels),
    ...spec,
  },
})

const collection = (plural: string) =>
  plural === 'replicationcontrollers'
    ? `/api/v1/${NAMESPACE}/${plural}`
    : `/apis/apps/v1/${NAMESPACE}/${plural}`

const kinds = [
  {
    kind: 'Deployment',
    plural: 'deployments',
    ready: ({ status }: Deployment) => status?.readyReplicas === 1,
  },
  {
    kind: 'ReplicaSet',
    plural: 'replicasets',
    ready: ({ status }: ReplicaSet) => status?.readyReplicas === 1,
  },
  {
    kind: 'StatefulSet',
    plural: 'statefulsets',
    ready: ({ status }: StatefulSet) => status?.readyReplicas === 1,
  },
  { kind: 'DaemonSet', plural: 'daemonsets', ready: ({ status }: DaemonSet) => status?.numberReady === 1 },
] as const

for (const { kind, plural, ready } of kinds) {
  test(`the status of a ${kind} is read, replaced and patched on its own, and watchers see it`, async () => {
    const name = `status-${plural}`
    const path = `${collection(plural)}/${name}`
    const list = await api.get<ListOf<WithStatus>>(`${collection(plural)}?labelSelector=app=${name}`)
    await api.post(collection(plural), workload(kind, name))
    await eventually(`${name} is ready`, async () => ready(await api.get(path)))
    const { resourceVersion } = list.metadata
    const watch = await api.watch<WithStatus>(
      `${collection(plural)}?labelSelector=app=${name}&resourceVersion=${resourceVersion}`,
    )

    const read = await api.get<WithStatus>(`${path}/status`)
    assert.equal(read.metadata.name, name)
    assert.notEqual(read.status, undefined)

    const condition = { type: 'StatusUpdate', status: 'True', reason: 'E2E', message: 'Set from a test' }
    await eventually('the status is replaced', async () => {
      const current = await api.get<WithStatus>(path)
      const conditions = [...(current.status.conditions ?? []), condition]
      const { code, body } = await api.send<WithStatus>('PUT', `${path}/status`, {
        ...current,
        status: { ...current.status, conditions },
      })
      if (code === 409) return false
      assert.equal(code, 200)
      assert.partialDeepStrictEqual(body.status.conditions, [condition])
      return true
    })
    await eventually('the watch shows the replaced status', () =>
      watch.events.some(({ object }) =>
        object.status?.conditions?.some(one => 'type' in one && one.type === 'StatusUpdate'),
      ),
    )

    const patched = { type: 'StatusPatched', status: 'True', lastTransitionTime: null }
    const answer = await api.patch<WithStatus>(
      `${path}/status`,
      { metadata: { annotations: { patchedstatus: 'true' } }, status: { conditions: [patched] } },
      MERGE_PATCH,
    )
    assert.equal(answer.metadata.annotations?.patchedstatus, 'true')
    assert.partialDeepStrictEqual(answer.status.conditions, [{ type: 'StatusPatched', status: 'True' }])
    await eventually('the watch shows the patched status', () =>
      watch.events.some(({ object }) =>
        object.status?.conditions?.some(one => 'type' in one && one.type === 'StatusPatched'),
      ),
    )
    watch.stop()
  })

  test(`${plural} are listed everywhere by label and deleted as a collection`, async () => {
    const names = ['one', 'two', 'three'].map(word => `${word}-${plural}`)
    const group = { e2e: plural }
    const spec = kind === 'DaemonSet' ? {} : { replicas: 0 }
    for (const name of names)
      await api.post(collection(plural), workload(kind, name, spec, { ...group, name }))
    const listed = () => api.get<ListOf<WithStatus>>(`/apis/apps/v1/${plural}?labelSelector=e2e=${plural}`)
    assert.equal((await listed()).items.length, names.length)
    await api.patch(`${collection(plural)}/${names[0]}`, {
      metadata: { labels: { patched: 'true' } },
      spec: { template: { spec: { containers: [{ name: 'main', image: 'busybox:1.30' }] } } },
    })
    const one = `${collection(plural)}?labelSelector=patched=true`
    assert.equal((await api.get<ListOf<WithStatus>>(one)).items.length, 1)
    await api.delete(one, { gracePeriodSeconds: 0 })
    await eventually('one is gone', async () => (await listed()).items.length === names.length - 1)
    await api.delete(`${collection(plural)}?labelSelector=e2e=${plural}`)
    await eventually('all are gone', async () => (await listed()).items.length === 0)
  })
}

for (const [kind, plural] of [
  ['Deployment', 'deployments'],
  ['ReplicaSet', 'replicasets'],
  ['StatefulSet', 'statefulsets'],
  ['ReplicationController', 'replicationcontrollers'],
] as const) {
  test(`the scale of a ${kind} is read, replaced and patched`, async () => {
    const name = `scale-${plural}`
    const path = `${collection(plural)}/${name}`
    await api.post(collection(plural), workload(kind, name))
    const scale = await api.get<Scale>(`${path}/scale`)
    assert.deepEqual([scale.apiVersion, scale.kind, scale.spec.replicas], ['autoscaling/v1', 'Scale', 1])
    const updated = await api.put<Scale>(`${path}/scale`, {
      ...scale,
      metadata: { ...scale.metadata, resourceVersion: '' },
      spec: { replicas: 2 },
    })
    assert.equal(updated.spec.replicas, 2)
    assert.equal((await api.get<Deployment>(path)).spec.replicas, 2)
    const patched = await api.patch<Scale>(`${path}/scale`, { spec: { replicas: 3 } })
    assert.equal(patched.spec.replicas, 3)
    await eventually('three are ready', async () => {
      const { status } = await api.get<Scale>(`${path}/scale`)
      return status?.replicas === 3 && status.selector === `app=${name}`
    })
    await api.delete(path)
  })
}

test('a ReplicationController is patched, its status too, and every change is seen', async () => {
  const plural = 'replicationcontrollers'
  const path = `${collection(plural)}/life`
  const list = await api.get<ListOf<ReplicationController>>(`${collection(plural)}?labelSelector=app=life`)
  const watch = await api.watch<ReplicationController>(
    `${collection(plural)}?labelSelector=app=life&resourceVersion=${list.metadata.resourceVersion}`,
  )
  const seen = (what: string, test: (rc: ReplicationController) => boolean) =>
    eventually(what, () => watch.events.some(({ object }) => test(object)))
  await api.post(collection(plural), workload('ReplicationController', 'life'))
  await seen('it is ready', ({ status }) => status?.readyReplicas === 1)
  await api.patch(path, { metadata: { labels: { 'test-rc': 'patched' } } })
  await seen('the label', ({ metadata }) => metadata.labels?.['test-rc'] === 'patched')
  const status = { readyReplicas: 0, availableReplicas: 0 }
  const patched = await api.patch<ReplicationController>(`${path}/status`, { status })
  assert.equal(patched.status.readyReplicas ?? 0, 0)
  await seen(
    'none is ready',
    ({ status, metadata }) => metadata.labels?.['test-rc'] === 'patched' && !status.readyReplicas,
  )
  await eventually(
    'the controller counts again',
    async () => (await api.get<ReplicationController>(`${path}/status`)).status.readyReplicas === 1,
  )
  await api.delete(`${collection(plural)}?labelSelector=app=life`)
  await eventually('the watch shows its end', () => watch.events.some(({ type }) => type === 'DELETED'))
  watch.stop()
})

test('revisions of a DaemonSet are patched, made, updated and deleted; the next one counts on', async () => {
  const labels = { 'daemonset-name': 'revised' }
  const path = `${collection('daemonsets')}/revised`
  await api.post(collection('daemonsets'), workload('DaemonSet', 'revised', {}, labels))
  await eventually('it runs', async () => (await api.get<DaemonSet>(path)).status?.numberReady === 1)
  const revisions = async () =>
    (
      await api.get<ListOf<ControllerRevision>>(
        '/apis/apps/v1/controllerrevisions?labelSelector=daemonset-name=revised',
      )
    ).items
  const [first] = await eventually('a revision', async () => {
    const found = await revisions()
    return found.length === 1 && found
  })
  assert.ok(first)
  const { name } = first.metadata
  const patched = await api.patch<ControllerRevision>(`${collection('controllerrevisions')}/${name}`, {
    metadata: { labels: { [name]: 'patched' } },
  })
  assert.equal(patched.metadata.labels?.[name], 'patched')
  const second = await api.post<ControllerRevision>(collection('controllerrevisions'), {
    ...first,
    metadata: {
      name: 'revised-by-hand',
      labels: { ...labels, 'controller-revision-hash': 'by-hand' },
      ownerReferences: first.metadata.ownerReferences,
    },
    revision: first.revision + 1,
  })
  assert.equal((await revisions()).length, 2)
  await api.delete(`${collection('controllerrevisions')}/${name}`)
  await eventually('one is left', async () => (await revisions()).length === 1)
  await eventually('it is updated', async () => {
    const current = await api.get<ControllerRevision>(
      `${collection('controllerrevisions')}/${second.metadata.name}`,
    )
    const { code } = await api.send('PUT', `${collection('controllerrevisions')}/${second.metadata.name}`, {
      ...current,
      metadata: { ...current.metadata, labels: { ...current.metadata.labels, mine: 'updated' } },
    })
    return code === 200
  })
  await api.patch(path, { spec: { template: { spec: { terminationGracePeriodSeconds: 1 } } } })
  await eventually('two again', async () => (await revisions()).length === 2)
  await api.delete(`${collection('controllerrevisions')}?labelSelector=mine=updated`)
  const [last] = await eventually('one is left', async () => {
    const found = await revisions()
    return found.length === 1 && found
  })
  assert.equal(last?.revision, 3)
  await api.delete(path)
})

test('a ReplicaSet adopts, is scaled, replaced and patched', async () => {
  const labels = { app: 'adopting' }
  await api.post<Pod>(`/api/v1/${NAMESPACE}/pods`, {
    metadata: { name: 'orphan', labels },
    spec: template(labels).spec,
  })
  const path = `${collection('replicasets')}/adopting`
  const { metadata } = await api.post<ReplicaSet>(
    collection('replicasets'),
    workload('ReplicaSet', 'adopting'),
  )
  await eventually('the orphan is adopted', async () =>
    (await api.get<Pod>(`/api/v1/${NAMESPACE}/pods/orphan`)).metadata.ownerReferences?.some(
      ({ uid }) => uid === metadata.uid,
    ),
  )
  const list = await api.get<ListOf<ReplicaSet>>(`${collection('replicasets')}?labelSelector=app=adopting`)
  const watch = await api.watch<ReplicaSet>(
    `${collection('replicasets')}?labelSelector=app=adopting&resourceVersion=${list.metadata.resourceVersion}`,
  )
  const patched = await api.patch<ReplicaSet>(path, {
    metadata: { labels: { 'test-rs': 'patched' } },
    spec: { replicas: 3, template: { spec: { containers: [{ name: 'main', image: 'busybox:1.30' }] } } },
  })
  assert.equal(patched.metadata.labels?.['test-rs'], 'patched')
  await eventually('the watch shows three', () =>
    watch.events.some(
      ({ object }) => object.metadata.labels?.['test-rs'] === 'patched' && object.status?.replicas === 3,
    ),
  )
  watch.stop()
  await api.patch(`/api/v1/${NAMESPACE}/pods/orphan`, { metadata: { labels: { app: 'free' } } })
  await eventually(
    'the pod is released',
    async () => !(await api.get<Pod>(`/api/v1/${NAMESPACE}/pods/orphan`)).metadata.ownerReferences?.length,
  )
  await api.delete(path)
})
