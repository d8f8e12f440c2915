import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserInfo } from '../../api/request.ts'
import { settle } from '../../base/manual-clock.ts'
import { failure, pod, TestRegistry } from '../registry/test-registry.ts'
import type { Attributes } from './authorizer.ts'
import { ClusterAuthorizer } from './cluster-authorizer.ts'
import { ensurePolicy } from './rbac/bootstrap/ensure-policy.ts'

const DRA = 'resource.k8s.io/v1'
const RBAC = 'rbac.authorization.k8s.io/v1'
const jane: UserInfo = { name: 'jane', groups: ['devs', 'system:authenticated'] }
const kubelet: UserInfo = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }

async function cluster() {
  let access: ClusterAuthorizer | undefined
  const api = new TestRegistry(storage => {
    access = new ClusterAuthorizer(storage)
    return [access.escalationCheck]
  })
  const { authorizer } = access!
  const stop = new AbortController()
  await api.registry.ensureSystemObjects()
  await ensurePolicy(api.registry.handle)
  await access!.load()
  const running = access!.run(stop.signal)
  const ask = async (user: UserInfo, verb: string, resource: string, more: object = {}) => {
    const [plural, subresource] = resource.split('/')
    const attributes = {
      user,
      verb,
      group: '',
      version: 'v1',
      resource: plural,
      namespace: 'ns',
      ...(subresource && { subresource }),
      ...more,
    }
    return authorizer.authorize(attributes as Attributes)
  }
  const end = async () => {
    stop.abort()
    await running
  }
  return { api, ask, authorizer, end }
}

const binding = (name: string, role: string, subject: object) => ({
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
  subjects: [subject],
})
const USER = { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }

test('a binding in a namespace holds there, at once, and no longer than it is there', async () => {
  const { api, ask, end } = await cluster()
  assert.equal((await ask(jane, 'get', 'pods')).decision, 'noOpinion')
  await api.create(`${RBAC}/rolebindings`, binding('b', 'view', USER))
  await settle()
  assert.deepEqual(await ask(jane, 'get', 'pods'), {
    decision: 'allow',
    reason: 'RBAC: allowed by RoleBinding "b/ns" of ClusterRole "view" to User "jane"',
  })
  assert.equal((await ask(jane, 'get', 'secrets')).decision, 'noOpinion')
  assert.equal((await ask(jane, 'get', 'pods', { namespace: 'other' })).decision, 'noOpinion')
  await api.object('delete', `${RBAC}/rolebindings`, { name: 'b' })
  await settle()
  assert.equal((await ask(jane, 'get', 'pods')).decision, 'noOpinion')
  await end()
})

test('a binding to a role that is not there says so', async () => {
  const { api, ask, end } = await cluster()
  await api.create(`${RBAC}/rolebindings`, binding('b', 'gone', USER))
  await settle()
  assert.deepEqual(await ask(jane, 'get', 'pods'), {
    decision: 'noOpinion',
    reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
  })
  await end()
})

test('nobody grants more than they hold', async () => {
  const { api, end } = await cluster()
  await api.create(`${RBAC}/rolebindings`, binding('b', 'admin', USER))
  await settle()
  const role = (verbs: string[], resources: string[]) => ({
    metadata: { name: 'r' },
    rules: [{ apiGroups: [''], resources, verbs }],
  })
  await api.create(`${RBAC}/roles`, role(['get'], ['pods']), { user: jane })
  const more = await failure(
    api.create(
      `${RBAC}/roles`,
      { ...role(['get', 'list'], ['nodes']), metadata: { name: 'more' } },
      { user: jane },
    ),
  )
  assert.equal(
    more.message,
    'roles.rbac.authorization.k8s.io "more" is forbidden: user "jane" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}',
  )
  const bound = await failure(
    api.create(`${RBAC}/rolebindings`, binding('c', 'cluster-admin', USER), { user: jane }),
  )
  assert.equal(
    bound.message,
    'rolebindings.rbac.authorization.k8s.io "c" is forbidden: user "jane" (groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:["*"], Resources:["*"], Verbs:["*"]}\n{NonResourceURLs:["*"], Verbs:["*"]}',
  )
  const unknown = await failure(
    api.create(`${RBAC}/rolebindings`, binding('c', 'gone', USER), { user: jane }),
  )
  assert.deepEqual(
    [unknown.code, unknown.message],
    [404, 'clusterroles.rbac.authorization.k8s.io "gone" not found'],
  )
  await end()
})

test('who may escalate or bind grants what they do not hold', async () => {
  const { api, end } = await cluster()
  const rules = [
    {
      apiGroups: ['rbac.authorization.k8s.io'],
      resources: ['roles', 'clusterroles'],
      verbs: ['escalate', 'bind'],
    },
  ]
  await api.create(`${RBAC}/roles`, { metadata: { name: 'granter' }, rules })
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'granter' }
  await api.create(`${RBAC}/rolebindings`, { ...binding('b', '', USER), roleRef })
  await settle()
  const secrets = [{ apiGroups: [''], resources: ['secrets'], verbs: ['*'] }]
  await api.create(`${RBAC}/roles`, { metadata: { name: 'r' }, rules: secrets }, { user: jane })
  await api.create(`${RBAC}/rolebindings`, binding('c', 'cluster-admin', USER), { user: jane })
  await end()
})

test('the role of a binding does not change', async () => {
  const { api, end } = await cluster()
  const made = await api.create(`${RBAC}/clusterrolebindings`, binding('b', 'view', USER))
  const changed = { ...made, roleRef: { ...(made.roleRef as object), name: 'edit' } }
  const status = await failure(api.update(`${RBAC}/clusterrolebindings`, changed as never))
  assert.equal(
    status.message,
    'ClusterRoleBinding.rbac.authorization.k8s.io "b" is invalid: roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"ClusterRole","Name":"edit"}: cannot change roleRef',
  )
  await end()
})

test('what was taken from a default role comes back at the next start, what was added stays', async () => {
  const { api, end } = await cluster()
  const role = await api.get(`${RBAC}/clusterroles`, 'system:basic-user')
  const extra = { apiGroups: ['x'], resources: ['y'], verbs: ['get'] }
  await api.update(`${RBAC}/clusterroles`, { ...role, rules: [extra] } as never)
  await ensurePolicy(api.registry.handle)
  const again = await api.get(`${RBAC}/clusterroles`, 'system:basic-user')
  const rules = again.rules as unknown as { resources: string[] }[]
  assert.deepEqual(rules[0], extra)
  assert.deepEqual(
    rules
      .slice(1)
      .flatMap(({ resources }) => resources)
      .sort(),
    ['selfsubjectaccessreviews', 'selfsubjectreviews', 'selfsubjectrulesreviews'],
  )
  const kept = {
    ...again,
    rules: [],
    metadata: { ...again.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
  }
  await api.update(`${RBAC}/clusterroles`, kept as never)
  await ensurePolicy(api.registry.handle)
  assert.deepEqual((await api.get(`${RBAC}/clusterroles`, 'system:basic-user')).rules, [])
  await end()
})

test('a node reads what its pods need, and nothing else', async () => {
  const { api, ask, end } = await cluster()
  await api.create('namespaces', { metadata: { name: 'ns' } })
  const spec = {
    nodeName: 'n1',
    serviceAccountName: 'robot',
    containers: [{ name: 'c', image: 'x', envFrom: [{ secretRef: { name: 'env' } }] }],
    volumes: [
      { name: 'a', configMap: { name: 'settings' } },
      { name: 'b', persistentVolumeClaim: { claimName: 'data' } },
    ],
  }
  await api.create('pods', pod('web', spec))
  await api.create(
    'pods',
    pod('far', { ...spec, nodeName: 'n2', volumes: [{ name: 'a', secret: { secretName: 'theirs' } }] }),
  )
  const claims = {
    nodeName: 'n1',
    containers: [{ name: 'c', image: 'x' }],
    resourceClaims: [{ name: 'gpu', resourceClaimName: 'card' }],
  }
  await api.create('pods', pod('claims', claims))
  for (const nodeName of ['n1', 'n2']) {
    const devices = {
      driver: 'gpu.example.com',
      nodeName,
      pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
    }
    await api.create(`${DRA}/resourceslices`, { metadata: { name: `of-${nodeName}` }, spec: devices })
  }
  await settle()
  const group = 'resource.k8s.io'
  const cases: [verb: string, resource: string, name: string, more: object, reason: string | undefined][] = [
    ['get', 'secrets', 'env', {}, undefined],
    ['watch', 'secrets', 'env', {}, undefined],
    ['get', 'secrets', 'theirs', {}, "no relationship found between node 'n1' and this object"],
    ['list', 'secrets', '', {}, 'No Object name found'],
    ['update', 'secrets', 'env', {}, 'can only read resources of this type'],
    ['get', 'configmaps', 'settings', {}, undefined],
    ['get', 'persistentvolumeclaims', 'data', {}, undefined],
    ['get', 'pods', 'web', {}, undefined],
    ['get', 'pods', 'far', {}, "no relationship found between node 'n1' and this object"],
    ['list', 'pods', '', { fieldSelector: 'spec.nodeName=n1' }, undefined],
    ['list', 'pods', '', {}, 'can only list/watch pods with spec.nodeName field selector'],
    ['create', 'serviceaccounts/token', 'robot', {}, undefined],
    [
      'create',
      'serviceaccounts/token',
      'default',
      {},
      "no relationship found between node 'n1' and this object",
    ],
    ['get', 'resourceclaims', 'card', { group }, undefined],
    ['update', 'resourceclaims', 'card', { group }, 'can only get individual resources of this type'],
    ['get', 'resourceclaims', 'other', { group }, "no relationship found between node 'n1' and this object"],
    ['create', 'resourceslices', '', { group }, undefined],
    ['update', 'resourceslices', 'of-n1', { group }, undefined],
    [
      'update',
      'resourceslices',
      'of-n2',
      { group },
      "no relationship found between node 'n1' and this object",
    ],
    ['deletecollection', 'resourceslices', '', { group, fieldSelector: 'spec.nodeName=n1' }, undefined],
    [
      'list',
      'resourceslices',
      '',
      { group },
      'can only list/watch/deletecollection resourceslices with spec.nodeName field selector',
    ],
    ['get', 'nodes', 'n1', {}, undefined],
    ['get', 'nodes', 'n2', {}, "node 'n1' cannot read 'n2', only its own Node object"],
  ]
  for (const [verb, resource, name, more, reason] of cases) {
    const answer = await ask(kubelet, verb, resource, { ...(name && { name }), ...more })
    assert.deepEqual(
      answer,
      reason === undefined ? { decision: 'allow' } : { decision: 'noOpinion', reason },
      `${verb} ${resource} ${name}`,
    )
  }
  await api.object('delete', 'pods', { name: 'web', deleteOptions: { gracePeriodSeconds: 0 } })
  await settle()
  assert.equal((await ask(kubelet, 'get', 'secrets', { name: 'env' })).decision, 'noOpinion')
  await end()
})
