// Patterns of users, with a real cluster and kubectl: what Go cannot read is refused, and none holds up the cluster.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

const create = (object: object) =>
  cluster.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(object) })

const definition = (pattern: string, rule: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'things', kind: 'Thing' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                'x-kubernetes-validations': [{ rule }],
                properties: { a: { type: 'string', pattern }, b: { type: 'string', maxLength: 50_000 } },
              },
            },
          },
        },
      },
    ],
  },
})
const thing = (name: string, spec: object) => ({
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name },
  spec,
})

const PATTERN = '(?i)^(a+)+$'
const RULE = "!has(self.b) || self.b.matches('^(b+)+$')"

test('what Go cannot read is refused when it is written', async () => {
  const place = 'spec.versions[0].schema.openAPIV3Schema.properties[spec]'
  const { stderr: pattern } = await create(definition('(?!x)a', RULE))
  assert.match(pattern, /must be a valid regular expression, but isn't: error parsing regexp: invalid or /)
  assert.ok(pattern.includes(`${place}.properties[a].pattern: Invalid value: "(?!x)a"`), pattern)
  const { stderr: rule } = await create(definition(PATTERN, "self.b.find('(') == ''"))
  assert.ok(rule.includes('program instantiation failed: error parsing regexp: missing closing ): `(`'), rule)
})

test('a pattern that RegExp would take years for refuses and accepts at once', async () => {
  assert.equal((await create(definition(PATTERN, RULE))).code, 0)
  await cluster.kubectl('wait --for=condition=Established crd/things.example.com')
  const { stderr: a } = await create(thing('a', { a: `${'A'.repeat(20_000)}!` }))
  assert.match(a, /spec\.a in body should match '\(\?i\)\^\(a\+\)\+\$'/)
  const { stderr: b } = await create(thing('b', { b: `${'b'.repeat(20_000)}!` }))
  assert.match(b, /failed rule: !has\(self\.b\)/)
  assert.equal((await create(thing('c', { a: 'AaA', b: 'bbb' }))).code, 0)
})

test('a policy takes patterns from the objects that it looks at', async () => {
  const registration = 'admissionregistration.k8s.io/v1'
  const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }
  const kind = 'ValidatingAdmissionPolicy'
  const expression =
    "!has(object.data) || !('text' in object.data) || !object.data.text.matches(object.data.pattern)"
  const policy = {
    matchConstraints: { resourceRules: [rule] },
    validations: [{ expression, message: 'found' }],
  }
  const metadata = { name: 'patterns' }
  assert.equal((await create({ apiVersion: registration, kind, metadata, spec: policy })).code, 0)
  const binding = { policyName: 'patterns', validationActions: ['Deny'] }
  const bound = { apiVersion: registration, kind: `${kind}Binding`, metadata, spec: binding }
  assert.equal((await create(bound)).code, 0)
  const make = (name: string, text: string, pattern: string) =>
    create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text, pattern } })
  let count = 0
  await eventually('the policy is in force', async () =>
    (await make(`found-${count++}`, 'abc', '(?P<n>B|b)')).stderr.includes('denied request: found'),
  )
  const { stderr } = await make('unread', 'abc', 'b(?=c)')
  assert.match(stderr, /resulted in error: error parsing regexp: invalid or unsupported Perl syntax: `\(\?=`/)
  assert.equal((await make('slow', `${'a'.repeat(20_000)}!`, '^(a|aa)+$')).code, 0)
})
