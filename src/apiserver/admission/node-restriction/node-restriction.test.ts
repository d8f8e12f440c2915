import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserInfo } from '../../../api/request.ts'
import { failure, type Loose, pod, TestRegistry } from '../../registry/test-registry.ts'
import { storageLookup } from '../storage-lookup.ts'
import { nodeRestriction } from './node-restriction.ts'

const user: UserInfo = { name: 'system:node:n1', groups: ['system:nodes'] }
const MIRROR = { 'kubernetes.io/config.mirror': 'x' }

async function cluster() {
  const api = new TestRegistry(storage => [nodeRestriction(storageLookup(storage))])
  const node = await api.create('nodes', { metadata: { name: 'n1', labels: { 'example.com/a': '1' } } })
  await api.create('nodes', { metadata: { name: 'n2' } })
  await api.create('pods', pod('mine', { nodeName: 'n1' }))
  await api.create('pods', pod('theirs', { nodeName: 'n2' }))
  await api.create('serviceaccounts', { metadata: { name: 'default' } })
  return { api, node }
}

const mirror = (uid: string, spec: object = {}, owner: object = {}) =>
  pod(
    'static',
    { nodeName: 'n1', ...spec },
    {
      annotations: MIRROR,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid, controller: true, ...owner }],
    },
  )

type Try = (api: TestRegistry, node: Loose) => Promise<unknown>
const as =
  (verb: Parameters<TestRegistry['object']>[0], resource: string, call: object) => (api: TestRegistry) =>
    api.object(verb, resource, { user, ...call })
const token = (boundObjectRef?: object) =>
  as('create', 'serviceaccounts/token', {
    name: 'default',
    body: { metadata: {}, spec: { audiences: [], ...(boundObjectRef && { boundObjectRef }) } },
  })
const changedNode = (name: string, change: (node: Loose) => void) => async (api: TestRegistry) => {
  const node = structuredClone(await api.get('nodes', name))
  change(node)
  return api.update('nodes', node, { user })
}

const slice = (name: string, nodeName: string) => ({
  metadata: { name },
  spec: {
    driver: 'gpu.example.com',
    nodeName,
    pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
  },
})
const SLICES = 'resource.k8s.io/v1/resourceslices'

const refusals: [title: string, attempt: Try, message: string][] = [
  [
    "another node's devices",
    api => api.create(SLICES, slice('s', 'n2'), { user }),
    'resourceslices.resource.k8s.io "s" is forbidden: can only create ResourceSlice with the same NodeName as the requesting node',
  ],
  [
    "the end of another node's devices",
    async api => {
      await api.create(SLICES, slice('s', 'n2'))
      return api.object('delete', SLICES, { user, name: 's' })
    },
    'resourceslices.resource.k8s.io "s" is forbidden: can only delete ResourceSlice with the same NodeName as the requesting node',
  ],
  [
    'an ordinary pod',
    as('create', 'pods', { body: pod('x') }),
    'pods "x" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  ],
  [
    'a mirror pod of another node',
    (api, node) => api.create('pods', mirror(node.metadata.uid, { nodeName: 'n2' }), { user }),
    'pods "static" is forbidden: node "n1" can only create pods with spec.nodeName set to itself',
  ],
  [
    'a mirror pod without an owner',
    as('create', 'pods', { body: pod('x', { nodeName: 'n1' }, { annotations: MIRROR }) }),
    'pods "x" is forbidden: node "n1" can only create pods with an owner reference set to itself',
  ],
  [
    'a mirror pod with a secret',
    (api, node) =>
      api.create(
        'pods',
        mirror(node.metadata.uid, { volumes: [{ name: 'v', secret: { secretName: 's' } }] }),
        { user },
      ),
    'pods "static" is forbidden: node "n1" can not create pods that reference secrets',
  ],
  [
    'deleting the pod of another node',
    as('delete', 'pods', { name: 'theirs' }),
    'pods "theirs" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
  ],
  [
    'the status of the pod of another node',
    async api => api.update('pods/status', structuredClone(await api.get('pods', 'theirs')), { user }),
    'pods "theirs" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
  ],
  [
    'another node',
    changedNode('n2', node => {
      node.metadata.labels = { a: 'b' }
    }),
    'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
  ],
  [
    'its own taints',
    changedNode('n1', node => {
      node.spec = { taints: [{ key: 'k', effect: 'NoSchedule' }] } as never
    }),
    'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
  ],
  [
    'labels of the cluster',
    changedNode('n1', node => {
      node.metadata.labels = { ...node.metadata.labels, 'node-role.kubernetes.io/control-plane': '' }
    }),
    'nodes "n1" is forbidden: is not allowed to modify labels: node-role.kubernetes.io/control-plane',
  ],
  [
    'labels that restrict nodes',
    changedNode('n1', node => {
      node.metadata.labels = { ...node.metadata.labels, 'team.node-restriction.kubernetes.io/x': '1' }
    }),
    'nodes "n1" is forbidden: is not allowed to modify labels: team.node-restriction.kubernetes.io/x',
  ],
  [
    'a token for nothing',
    token(),
    'serviceaccounts "default" is forbidden: node requested token not bound to a pod',
  ],
  [
    'a token for a pod elsewhere',
    async api =>
      token({
        apiVersion: 'v1',
        kind: 'Pod',
        name: 'theirs',
        uid: (await api.get('pods', 'theirs')).metadata.uid,
      })(api),
    'serviceaccounts "default" is forbidden: node requested token bound to a pod scheduled on a different node',
  ],
  [
    'a lease elsewhere',
    as('create', 'coordination.k8s.io/v1/leases', { body: { metadata: { name: 'n1' } } }),
    'leases.coordination.k8s.io "n1" is forbidden: can only access leases in the "kube-node-lease" system namespace',
  ],
]
for (const [title, attempt, message] of refusals) {
  test(`a node is refused ${title}`, async () => {
    const { api, node } = await cluster()
    assert.equal((await failure(attempt(api, node))).message, message)
  })
}

test('a node keeps itself, its pods and its mirror pods', async () => {
  const { api, node } = await cluster()
  await api.create('pods', mirror(node.metadata.uid), { user })
  await changedNode('n1', one => {
    one.metadata.labels = { ...one.metadata.labels, 'kubernetes.io/hostname': 'n1', 'example.com/b': '2' }
  })(api)
  await api.update('pods/status', structuredClone(await api.get('pods', 'mine')), { user })
  await api.object('delete', 'pods', { name: 'mine', user, deleteOptions: { gracePeriodSeconds: 0 } })
  await api.create(
    'coordination.k8s.io/v1/leases',
    { metadata: { name: 'n1' } },
    { user, namespace: 'kube-node-lease' },
  )
})

test("a node deletes its own devices all at once, and no other node's", async () => {
  const { api } = await cluster()
  await api.create(SLICES, slice('mine', 'n1'))
  await api.create(SLICES, slice('theirs', 'n2'))
  const deleteAll = (nodeName: string) =>
    api.object('deletecollection', SLICES, { user, options: { fieldSelector: `spec.nodeName=${nodeName}` } })
  await deleteAll('n1')
  assert.equal((await failure(api.get(SLICES, 'mine'))).code, 404)
  const { message } = await failure(deleteAll('n2'))
  assert.match(message, /can only delete ResourceSlice with the same NodeName as the requesting node/)
  assert.equal((await api.get(SLICES, 'theirs')).metadata.name, 'theirs')
})
