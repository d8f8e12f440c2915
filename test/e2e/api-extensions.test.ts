// Policies that refuse and change, rules of custom kinds, flows and strictness, with a real cluster and kubectl.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ValidatingAdmissionPolicy } from '../../src/api/types/admissionregistration-v1.ts'
import type { Deployment } from '../../src/api/types/apps-v1.ts'
import type { FlowSchema } from '../../src/api/types/flowcontrol-v1.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

const send = (verb: string, object: object) =>
  cluster.tryKubectl([verb, '-f', '-'], { input: JSON.stringify(object) })
const create = (object: object) => send('create', object)
const apply = async (...items: object[]) => {
  const { code, stderr } = await send('apply', { apiVersion: 'v1', kind: 'List', items })
  assert.equal(code, 0, stderr)
}

const REGISTRATION = 'admissionregistration.k8s.io/v1'
const matchConstraints = {
  resourceRules: [
    {
      operations: ['CREATE', 'UPDATE'],
      apiGroups: ['apps'],
      apiVersions: ['v1'],
      resources: ['deployments'],
    },
  ],
}
const deployment = (name: string, replicas: number) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { nodeSelector: { no: 'where' }, containers: [{ name: 'main', image: 'busybox' }] },
    },
  },
})

test('a mutating policy lays a configuration and a patch over what is created', async () => {
  await apply(
    {
      apiVersion: REGISTRATION,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: 'mark.example.com' },
      spec: {
        matchConstraints,
        reinvocationPolicy: 'Never',
        mutations: [
          {
            patchType: 'ApplyConfiguration',
            applyConfiguration: {
              expression:
                'Object{metadata: Object.metadata{annotations: {"made-by": request.userInfo.username}}}',
            },
          },
          {
            patchType: 'JSONPatch',
            jsonPatch: {
              expression:
                '[JSONPatch{op: "replace", path: "/spec/replicas", value: object.spec.replicas + 1}]',
            },
          },
        ],
      },
    },
    {
      apiVersion: REGISTRATION,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata: { name: 'mark.example.com' },
      spec: { policyName: 'mark.example.com' },
    },
  )
  assert.equal((await create(deployment('changed', 2))).code, 0)
  const { metadata, spec } = await cluster.json<Deployment>('get deployment changed')
  assert.deepEqual([metadata.annotations?.['made-by'], spec.replicas], ['kubernetes-admin', 3])
  await cluster.kubectl('delete mutatingadmissionpolicybinding,mutatingadmissionpolicy mark.example.com')
})

test('a validating policy refuses, and its status tells of types that do not fit', async () => {
  const policy = (name: string, validation: object) => ({
    apiVersion: REGISTRATION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      matchConstraints,
      variables: [{ name: 'replicas', expression: 'object.spec.replicas' }],
      validations: [validation],
    },
  })
  const bound = {
    apiVersion: REGISTRATION,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'even.example.com' },
    spec: { policyName: 'even.example.com', validationActions: ['Deny'] },
  }
  await apply(
    policy('even.example.com', {
      expression: 'variables.replicas % 2 == 0',
      messageExpression: '"%d is odd".format([variables.replicas])',
    }),
    policy('confused.example.com', { expression: "variables.replicas > '1'" }),
    bound,
  )
  const { stderr } = await create(deployment('odd', 3))
  assert.match(stderr, /'even\.example\.com' with binding 'even\.example\.com' denied request: 3 is odd/)
  assert.equal((await create(deployment('even', 4))).code, 0)
  const statusOf = async (name: string) =>
    (await cluster.json<ValidatingAdmissionPolicy>(`get validatingadmissionpolicy ${name}`)).status
  await eventually('types are checked', async () => {
    const [warning] = (await statusOf('confused.example.com'))?.typeChecking?.expressionWarnings ?? []
    assert.equal(warning?.fieldRef, 'spec.validations[0].expression')
    assert.match(warning.warning, /no matching overload for '_>_' applied to '\(int, string\)'/)
    assert.deepEqual((await statusOf('even.example.com'))?.typeChecking, {})
    return true
  })
  await cluster.kubectl('delete validatingadmissionpolicybinding even.example.com')
})

test('rules of custom kinds are checked when they are written, and again by what they cost', async () => {
  const definition = (schema: object) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'gears.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'gears', singular: 'gear', kind: 'Gear' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: schema } } },
        },
      ],
    },
  })
  const numbers = { type: 'array', maxItems: 1000, items: { type: 'integer' } }
  const schema = (rule: string, teeth: object = numbers) => ({
    type: 'object',
    properties: { teeth, size: { type: 'integer' } },
    'x-kubernetes-validations': [{ rule }],
  })
  const nested = {
    type: 'array',
    items: { ...numbers, maxItems: 10_000, 'x-kubernetes-validations': [{ rule: 'self.all(t, t > 0)' }] },
  }
  const wrong: [schema: object, message: RegExp][] = [
    [schema('self.sice > 1'), /undefined field 'sice'/],
    [schema('self.size = 1'), /Syntax error/],
    [schema('self.size'), /cel expression must evaluate to a bool/],
    [schema('true', nested), /estimated rule cost exceeds budget/],
  ]
  for (const [one, message] of wrong) assert.match((await create(definition(one))).stderr, message)
  const costly = 'self.teeth.all(a, self.teeth.all(b, a == b))'
  const { code, stderr } = await create(definition(schema(costly)))
  assert.equal(code, 0, stderr)
  await cluster.kubectl('wait --for=condition=Established crd/gears.example.com --timeout=10s')
  const gear = (count: number) => ({
    apiVersion: 'example.com/v1',
    kind: 'Gear',
    metadata: { name: `g${count}` },
    spec: { teeth: Array(count).fill(20) },
  })
  assert.equal((await create(gear(10))).code, 0)
  assert.match((await create(gear(900))).stderr, /call cost exceeds limit for rule: /)
})

test('requests are sorted into flows', async () => {
  const group = 'flowcontrol.apiserver.k8s.io/v1'
  const spec = {
    matchingPrecedence: 900,
    priorityLevelConfiguration: { name: 'slow' },
    rules: [
      {
        subjects: [{ kind: 'User', user: { name: 'noxu' } }],
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/version'] }],
      },
    ],
  }
  const limited = { nominalConcurrencyShares: 1, limitResponse: { type: 'Reject' } }
  await apply({ apiVersion: group, kind: 'FlowSchema', metadata: { name: 'slow' }, spec })
  const reason = async () => {
    const { status } = await cluster.json<FlowSchema>('get flowschema slow')
    return status?.conditions?.find(({ type }) => type === 'Dangling')?.reason
  }
  await eventually('the level is missed', async () => (await reason()) === 'NotFound')
  await apply({
    apiVersion: group,
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'slow' },
    spec: { type: 'Limited', limited },
  })
  await eventually('the level is found', async () => (await reason()) === 'Found')
  const { metadata } = await cluster.json<FlowSchema>('get flowschema slow')
  const mine = await cluster.tryKubectl('get --raw /version --as noxu -v=8'.split(' '))
  assert.ok(mine.stderr.includes(metadata.uid!), mine.stderr)
  const other = await cluster.tryKubectl('get --raw /version --as jane -v=8'.split(' '))
  assert.match(other.stderr, /X-Kubernetes-Pf-Flowschema-Uid: /i)
  assert.ok(!other.stderr.includes(metadata.uid!))
})
