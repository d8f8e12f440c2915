import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtinResources } from '../../../api/resources.ts'
import { SystemClock } from '../../../base/clock.ts'
import type { Attributes } from '../../authz/authorizer.ts'
import { failure, TestRegistry } from '../../registry/test-registry.ts'
import { defaultPlugins } from '../default-plugins.ts'
import { storageLookup } from '../storage-lookup.ts'

const POLICIES = 'admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const BINDINGS = 'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'
const RULES = [
  { operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
]

async function cluster(policy: object, binding: object = {}): Promise<TestRegistry> {
  const api = new TestRegistry(storage =>
    defaultPlugins({
      lookup: storageLookup(storage),
      authorizer: {
        authorize: (attributes: Attributes) => ({
          decision: attributes.verb === 'bypass' ? 'noOpinion' : 'allow',
        }),
        rulesFor: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
      },
      extensions: {
        clock: new SystemClock(),
        resourceOf: (apiVersion, kind) =>
          builtinResources.find(
            one => one.kind === kind && (one.group ? `${one.group}/` : '') + one.version === apiVersion,
          ),
      },
    }),
  )
  await api.create('namespaces', { metadata: { name: 'ns', labels: { env: 'test' } } })
  await api.create('configmaps', { metadata: { name: 'limits' }, data: { most: '2' } })
  await api.create(POLICIES, {
    metadata: { name: 'p' },
    spec: { matchConstraints: { resourceRules: RULES }, ...policy },
  })
  await api.create(BINDINGS, {
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
  })
  return api
}
const create = (api: TestRegistry, data: object) =>
  api.send('create', 'configmaps', { body: { metadata: { name: 'm' }, data } })
const says = (text: string) =>
  `configmaps "m" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${text}`

const cases: [title: string, policy: object, data: object, message: string | undefined][] = [
  ['what holds passes', { validations: [{ expression: 'object.data.size() < 2' }] }, { a: '1' }, undefined],
  [
    'what does not hold is refused',
    { validations: [{ expression: 'object.data.size() < 2' }] },
    { a: '1', b: '2' },
    'failed expression: object.data.size() < 2',
  ],
  ['with its message', { validations: [{ expression: 'false', message: 'never' }] }, {}, 'never'],
  [
    'with a message that is worked out',
    { validations: [{ expression: 'false', messageExpression: "'not ' + object.metadata.name" }] },
    {},
    'not m',
  ],
  [
    'variables are named once',
    {
      variables: [{ name: 'n', expression: 'object.data.size()' }],
      validations: [{ expression: 'variables.n > 5' }],
    },
    { a: '1' },
    'failed expression: variables.n > 5',
  ],
  [
    'an expression that fails refuses',
    { validations: [{ expression: "object.data.missing == 'x'" }] },
    {},
    "expression 'object.data.missing == 'x'' resulted in error: no such key: data",
  ],
  [
    'or is ignored',
    { failurePolicy: 'Ignore', validations: [{ expression: "object.data.missing == 'x'" }] },
    {},
    undefined,
  ],
  [
    'conditions leave requests out',
    {
      matchConditions: [{ name: 'c', expression: "request.userInfo.username != 'tester'" }],
      validations: [{ expression: 'false' }],
    },
    {},
    undefined,
  ],
  [
    'the namespace is seen',
    { validations: [{ expression: "namespaceObject.metadata.labels.env == 'prod'" }] },
    {},
    "failed expression: namespaceObject.metadata.labels.env == 'prod'",
  ],
  [
    'rights are asked',
    { validations: [{ expression: "authorizer.requestResource.check('bypass').allowed()" }] },
    {},
    "failed expression: authorizer.requestResource.check('bypass').allowed()",
  ],
]
for (const [title, policy, data, message] of cases) {
  test(`a policy: ${title}`, async () => {
    const api = await cluster(policy)
    if (message === undefined) {
      await create(api, data)
      return
    }
    const status = await failure(create(api, data))
    assert.deepEqual([status.code, status.reason, status.message], [422, 'Invalid', says(message)])
  })
}

test('a policy with parameters is held against each', async () => {
  const policy = {
    paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
    validations: [{ expression: 'object.data.size() <= int(params.data.most)', reason: 'Forbidden' }],
  }
  const api = await cluster(policy, { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } })
  await create(api, { a: '1' })
  await api.object('delete', 'configmaps', { name: 'm' })
  const status = await failure(create(api, { a: '1', b: '2', c: '3' }))
  assert.deepEqual([status.code, status.reason], [403, 'Forbidden'])
  const missing = await cluster(policy, { paramRef: { name: 'nowhere', parameterNotFoundAction: 'Deny' } })
  assert.equal(
    (await failure(create(missing, {}))).message,
    says(
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    ),
  )
})

test('a binding that warns lets through', async () => {
  const api = await cluster(
    { validations: [{ expression: 'false', message: 'hm' }] },
    { validationActions: ['Warn'] },
  )
  const answer = await create(api, {})
  assert.deepEqual((answer as { warnings?: string[] }).warnings, [
    "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': hm",
  ])
})

test('a policy that cannot be read is not taken', async () => {
  const status = await failure(cluster({ validations: [{ expression: 'object.' }] }))
  assert.equal(status.code, 422)
  assert.match(
    status.message,
    /spec\.validations\[0\]\.expression: Invalid value: "object\.": compilation failed: /,
  )
})
