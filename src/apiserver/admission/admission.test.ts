import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, type Loose, pod, TestRegistry } from '../registry/test-registry.ts'
import { defaultPlugins } from './default-plugins.ts'
import { storageLookup } from './storage-lookup.ts'
import { waitForDefaultAccount } from './wait-for-account.ts'

async function cluster(account: object = {}): Promise<TestRegistry> {
  const api = new TestRegistry(storage => defaultPlugins({ lookup: storageLookup(storage) }))
  await api.create('namespaces', { metadata: { name: 'ns' } })
  await api.create('serviceaccounts', { metadata: { name: 'default' }, ...account })
  return api
}

test('nothing is created in a namespace that is missing or going away', async () => {
  const api = await cluster()
  const missing = await failure(api.create('configmaps', { metadata: { name: 'a' } }, { namespace: 'nope' }))
  assert.deepEqual([missing.code, missing.message], [404, 'namespaces "nope" not found'])
  await api.object('delete', 'namespaces', { name: 'ns' })
  const ending = await failure(api.create('configmaps', { metadata: { name: 'a' } }))
  assert.equal(ending.code, 403)
  assert.equal(
    ending.message,
    'configmaps "a" is forbidden: unable to create new content in namespace ns because it is being terminated',
  )
  assert.deepEqual(ending.details!.causes, [
    {
      reason: 'NamespaceTerminating',
      message: 'namespace ns is being terminated',
      field: 'metadata.namespace',
    },
  ])
})

test('the namespaces of the system are not deleted', async () => {
  const api = await cluster()
  await api.registry.ensureSystemObjects()
  for (const name of ['default', 'kube-system', 'kube-public']) {
    const status = await failure(api.object('delete', 'namespaces', { name }))
    assert.equal(status.message, `namespaces "${name}" is forbidden: this namespace may not be deleted`)
  }
})

test('a pod gets its account’s token, where nothing else is mounted', async () => {
  const api = await cluster({ imagePullSecrets: [{ name: 'pull' }] })
  const path = '/var/run/secrets/kubernetes.io/serviceaccount'
  const spec = {
    initContainers: [{ name: 'i', image: 'x' }],
    containers: [
      { name: 'c', image: 'x' },
      { name: 'own', image: 'x', volumeMounts: [{ name: 'mine', mountPath: path }] },
    ],
    volumes: [{ name: 'mine', emptyDir: {} }],
  }
  const made = await api.create('pods', pod('p', spec))
  assert.equal(made.spec!.serviceAccountName, 'default')
  assert.equal(made.spec!.serviceAccount, 'default')
  assert.deepEqual(made.spec!.imagePullSecrets, [{ name: 'pull' }])
  const volume = made.spec!.volumes![1]!
  assert.match(String(volume.name), /^kube-api-access-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  assert.equal(volume.projected!.defaultMode, 420)
  assert.deepEqual(volume.projected!.sources, [
    { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    {
      downwardAPI: {
        items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
      },
    },
  ])
  const mount = { name: volume.name, readOnly: true, mountPath: path }
  assert.deepEqual(made.spec!.initContainers![0]!.volumeMounts, [mount])
  assert.deepEqual(made.spec!.containers![0]!.volumeMounts, [mount])
  assert.deepEqual(made.spec!.containers![1]!.volumeMounts, [{ name: 'mine', mountPath: path }])
})

const optOuts: [title: string, account: boolean | undefined, pod: boolean | undefined, mounted: boolean][] = [
  ['by default', undefined, undefined, true],
  ['not when the account says no', false, undefined, false],
  ['when the pod overrides its account', false, true, true],
  ['not when the pod says no', true, false, false],
]
for (const [title, account, own, mounted] of optOuts) {
  test(`the token is mounted ${title}`, async () => {
    const api = await cluster(account === undefined ? {} : { automountServiceAccountToken: account })
    const made = await api.create(
      'pods',
      pod('p', own === undefined ? {} : { automountServiceAccountToken: own }),
    )
    assert.equal(made.spec!.volumes !== undefined, mounted)
  })
}

test('a pod whose account is missing is refused', async () => {
  const api = await cluster()
  const status = await failure(api.create('pods', pod('p', { serviceAccountName: 'robot' })))
  assert.equal(status.code, 403)
  assert.equal(
    status.message,
    'pods "p" is forbidden: error looking up service account ns/robot: serviceaccount "robot" not found',
  )
  const generated = {
    metadata: { generateName: 'job-' },
    spec: pod('x', { serviceAccountName: 'robot' }).spec,
  }
  assert.match((await failure(api.create('pods', generated))).message, /^pods "job-" is forbidden: /)
})

test('a pod made right after its namespace waits for the default account', async () => {
  const api: TestRegistry = new TestRegistry(storage =>
    defaultPlugins({
      lookup: storageLookup(storage),
      waitForAccount: (namespace, name) => waitForDefaultAccount(storage, api.clock)(namespace, name),
    }),
  )
  await api.create('namespaces', { metadata: { name: 'ns' } })
  const waiting = api.create('pods', pod('p'))
  await api.clock.advance(500)
  await api.create('serviceaccounts', { metadata: { name: 'default' } })
  assert.equal((await waiting).spec!.serviceAccountName, 'default')
  await api.create('namespaces', { metadata: { name: 'empty' } })
  const hopeless = failure(api.create('pods', pod('p'), { namespace: 'empty' }))
  await api.clock.advance(1_500)
  assert.match((await hopeless).message, /serviceaccount "default" not found$/)
})

test('a pod tolerates its node’s troubles for five minutes, unless it says otherwise', async () => {
  const api = await cluster()
  const own = {
    key: 'node.kubernetes.io/not-ready',
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 5,
  }
  const made = await api.create('pods', pod('p', { tolerations: [own] }))
  assert.deepEqual(made.spec!.tolerations, [
    own,
    {
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
      tolerationSeconds: 300,
    },
  ])
  const all = await api.create('pods', pod('q', { tolerations: [{ operator: 'Exists' }] }))
  assert.equal(all.spec!.tolerations!.length, 1)
})

async function withClasses(): Promise<TestRegistry> {
  const api = await cluster()
  const path = 'scheduling.k8s.io/v1/priorityclasses'
  await api.create(path, { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' })
  return api
}

test('a priority class becomes a number', async () => {
  const api = await withClasses()
  const plain = await api.create('pods', pod('plain'))
  assert.deepEqual([plain.spec!.priority, plain.spec!.preemptionPolicy], [0, 'PreemptLowerPriority'])
  const high = await api.create('pods', pod('high', { priorityClassName: 'high' }))
  assert.deepEqual([high.spec!.priority, high.spec!.preemptionPolicy], [1000, 'Never'])
  const unknown = await failure(api.create('pods', pod('x', { priorityClassName: 'nope' })))
  assert.equal(unknown.message, 'pods "x" is forbidden: no PriorityClass with name nope was found')
  const wrong = await failure(api.create('pods', pod('x', { priority: 7 })))
  assert.equal(
    wrong.message,
    'pods "x" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
  )
})

test('one priority class is the default of pods without one, and only one', async () => {
  const api = await withClasses()
  const path = 'scheduling.k8s.io/v1/priorityclasses'
  await api.create(path, { metadata: { name: 'usual' }, value: 50, globalDefault: true })
  const made = await api.create('pods', pod('p'))
  assert.deepEqual([made.spec!.priorityClassName, made.spec!.priority], ['usual', 50])
  const second = await failure(
    api.create(path, { metadata: { name: 'other' }, value: 60, globalDefault: true }),
  )
  assert.match(
    second.message,
    /PriorityClass usual is already marked as default\. Only one default can exist$/,
  )
})

test('a mirror pod is left alone, and may not reach for secrets', async () => {
  const api = await cluster()
  const metadata = { annotations: { 'kubernetes.io/config.mirror': 'x' } }
  const mirror: Loose = await api.create('pods', pod('static', { nodeName: 'n1' }, metadata))
  assert.equal(mirror.spec!.serviceAccountName, undefined)
  const greedy = { nodeName: 'n1', volumes: [{ name: 's', secret: { secretName: 'x' } }] }
  const status = await failure(api.create('pods', pod('greedy', greedy, metadata)))
  assert.equal(status.message, 'pods "greedy" is forbidden: a mirror pod may not reference secrets')
})
