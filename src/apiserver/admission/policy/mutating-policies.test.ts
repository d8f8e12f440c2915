import assert from 'node:assert/strict'
import { test } from 'node:test'
import { builtinResources } from '../../../api/resources.ts'
import { SystemClock } from '../../../base/clock.ts'
import { failure, TestRegistry } from '../../registry/test-registry.ts'
import { defaultPlugins } from '../default-plugins.ts'
import { storageLookup } from '../storage-lookup.ts'

const POLICIES = 'admissionregistration.k8s.io/v1/mutatingadmissionpolicies'
const BINDINGS = 'admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings'

async function cluster(): Promise<TestRegistry> {
  const api = new TestRegistry(storage =>
    defaultPlugins({
      lookup: storageLookup(storage),
      authorizer: {
        authorize: () => ({ decision: 'allow' }),
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
  await api.create('namespaces', { metadata: { name: 'ns' } })
  await api.create('serviceaccounts', { metadata: { name: 'default' } })
  return api
}

async function add(api: TestRegistry, name: string, spec: object, binding: object = {}): Promise<void> {
  const resourceRules = [
    {
      operations: ['CREATE', 'UPDATE'],
      apiGroups: [''],
      apiVersions: ['v1'],
      resources: ['pods', 'configmaps'],
    },
  ]
  await api.create(POLICIES, {
    metadata: { name },
    spec: { matchConstraints: { resourceRules }, reinvocationPolicy: 'Never', ...spec },
  })
  await api.create(BINDINGS, { metadata: { name }, spec: { policyName: name, ...binding } })
}

const applying = (expression: string) => ({
  mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
})
const patching = (expression: string) => ({
  mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
})
const pod = (name: string) => ({
  metadata: { name },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'main', image: 'busybox' }] },
})
const configMap = (data: object) => ({ metadata: { name: 'm' }, data })

test('a configuration is laid over the object, lists by their keys', async () => {
  const api = await cluster()
  await add(api, 'p', {
    ...applying(
      `Object{
        metadata: Object.metadata{annotations: {"by": "policy"}},
        spec: Object.spec{
          initContainers: [Object.spec.initContainers{name: "mesh", image: "proxy", restartPolicy: "Always"}]
        }
      }`,
    ),
    matchConditions: [
      { name: 'once', expression: '!object.spec.?initContainers.orValue([]).exists(c, c.name == "mesh")' },
    ],
  })
  const made = (await api.create('pods', pod('a'))) as unknown as {
    metadata: { annotations: object }
    spec: { containers: object[]; initContainers: { name: string; terminationMessagePolicy: string }[] }
  }
  assert.deepEqual(made.metadata.annotations, { by: 'policy' })
  assert.equal(made.spec.containers.length, 1)
  const [mesh] = made.spec.initContainers
  assert.deepEqual([mesh?.name, mesh?.terminationMessagePolicy], ['mesh', 'File'])
})

test('a patch adds, and one whose test fails leaves everything as it was', async () => {
  const api = await cluster()
  await add(
    api,
    'p',
    patching(
      `[JSONPatch{op: "test", path: "/data/want", value: "label"},
        JSONPatch{op: "add", path: "/metadata/labels", value: {"seen": object.metadata.name}},
        JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a.example/b"), value: "c"}]`,
    ),
  )
  const made = await api.create('configmaps', configMap({ want: 'label' }))
  assert.deepEqual(made.metadata.labels, { seen: 'm', 'a.example/b': 'c' })
  await api.object('delete', 'configmaps', { name: 'm' })
  const other = await api.create('configmaps', configMap({ want: 'nothing' }))
  assert.equal(other.metadata.labels, undefined)
})

test('parameters and variables are seen', async () => {
  const api = await cluster()
  await api.create('configmaps', { metadata: { name: 'limits' }, data: { team: 'blue' } })
  await add(
    api,
    'p',
    {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      variables: [{ name: 'team', expression: 'params.data.team + "-" + namespaceObject.metadata.name' }],
      ...applying('Object{metadata: Object.metadata{labels: {"team": variables.team}}}'),
    },
    { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } },
  )
  assert.deepEqual((await api.create('pods', pod('a'))).metadata.labels, { team: 'blue-ns' })
})

test('a policy that asks for it sees what later ones made', async () => {
  const api = await cluster()
  const copy = (reinvocationPolicy: string) => ({
    reinvocationPolicy,
    ...applying(
      'Object{metadata: Object.metadata{labels: {"copy": object.metadata.?labels["late"].orValue("none")}}}',
    ),
  })
  await add(api, 'a-if-needed', copy('IfNeeded'))
  await add(api, 'b-late', applying('Object{metadata: Object.metadata{labels: {"late": "yes"}}}'))
  assert.equal((await api.create('pods', pod('a'))).metadata.labels?.copy, 'yes')
  const once = await cluster()
  await add(once, 'a-never', copy('Never'))
  await add(once, 'b-late', applying('Object{metadata: Object.metadata{labels: {"late": "yes"}}}'))
  assert.equal((await once.create('pods', pod('a'))).metadata.labels?.copy, 'none')
})

const failing: [title: string, spec: object, reason: RegExp][] = [
  [
    'a list that is one piece is not replaced',
    applying(
      'Object{spec: Object.spec{containers: [Object.spec.containers{name: "main", command: ["sh"]}]}}',
    ),
    /error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: \.spec\.containers\[name="main"\]\.command$/,
  ],
  [
    'fields must be known',
    applying('Object{spec: Object.spec{unheard: 1}}'),
    /failed to convert patch object to typed object: \.spec\.unheard: field not declared in schema$/,
  ],
  [
    'an expression that fails refuses',
    applying('Object{metadata: Object.metadata{labels: {"a": object.nothing}}}'),
    /no such key: nothing$/,
  ],
]
for (const [title, spec, reason] of failing) {
  test(`${title}, or is passed over`, async () => {
    const api = await cluster()
    await add(api, 'p', spec)
    const status = await failure(api.send('create', 'pods', { body: pod('a') }))
    assert.deepEqual([status.code, status.reason], [403, 'Invalid'])
    assert.match(status.message, /^policy 'p' with binding 'p' denied request: /)
    assert.match(status.message, reason)
    const lax = await cluster()
    await add(lax, 'p', { ...spec, failurePolicy: 'Ignore' })
    assert.equal((await lax.create('pods', pod('a'))).metadata.name, 'a')
  })
}

const invalid: [spec: object, message: RegExp][] = [
  [{}, /spec\.mutations: Required value: mutations must contain at least one item/],
  [
    { mutations: [{ patchType: 'JSONPatch', applyConfiguration: { expression: 'Object{}' } }] },
    /jsonPatch: Required value: must be specified when patchType is JSONPatch, .*Invalid value: "\{applyConfiguration\}": must not be specified when patchType is JSONPatch/,
  ],
  [
    applying('Object{'),
    /applyConfiguration\.expression: Invalid value: "Object\{": compilation failed: ERROR: /,
  ],
  [applying('"text"'), /must evaluate to Object/],
  [
    { ...applying('Object{}'), reinvocationPolicy: 'Sometimes' },
    /Unsupported value: "Sometimes": supported values: "IfNeeded", "Never"/,
  ],
]
for (const [spec, message] of invalid) {
  test(`${JSON.stringify(spec)} is not taken`, async () => {
    const api = await cluster()
    const status = await failure(add(api, 'p', spec))
    assert.equal(status.code, 422)
    assert.match(status.message, message)
  })
}
