import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeObject } from './decode-object.ts'
import { findDuplicateFields, parseJson, parseYaml } from './parse-body.ts'
import { findType, typeOf } from './type-facts.ts'

const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec })
const wrong = 'Pod in version "v1" cannot be handled as a Pod: '

const failures: Record<string, { body: unknown; message: string; apiVersion?: string; kind?: string }> = {
  'unknown fields are listed in the order of the document': {
    body: pod({ foo: 1, containers: [{ name: 'a', bar: 2 }] }),
    message: `${wrong}strict decoding error: unknown field "spec.foo", unknown field "spec.containers[0].bar"`,
  },
  'a string where a list of structs belongs': {
    body: pod({ containers: 'nginx' }),
    message: `${wrong}json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container`,
  },
  'a number in a string field of a list item': {
    body: pod({ containers: [{ name: 'a', env: [{ name: 'N', value: 1 }] }] }),
    message: `${wrong}json: cannot unmarshal number into Go struct field EnvVar.spec.containers.env.value of type string`,
  },
  'a pointer field names the type it points to': {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    body: { spec: { replicas: 'three' } },
    message:
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  },
  'a named string type appears by its Go name': {
    body: pod({ containers: [], restartPolicy: true }),
    message: `${wrong}json: cannot unmarshal bool into Go struct field PodSpec.spec.restartPolicy of type v1.RestartPolicy`,
  },
  'a fraction is no integer': {
    body: pod({ priority: 1.5 }),
    message: `${wrong}json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.priority of type int32`,
  },
  'a malformed quantity': {
    body: pod({ containers: [{ name: 'a', resources: { limits: { cpu: 'lots' } } }] }),
    message: `${wrong}quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
  },
  'a malformed time': {
    body: { metadata: { creationTimestamp: 'yesterday' } },
    message: `${wrong}parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"`,
  },
  'bad base64': {
    apiVersion: 'v1',
    kind: 'Secret',
    body: { data: { a: 'not base64!' } },
    message: 'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 3',
  },
}

for (const [title, { body, message, apiVersion = 'v1', kind = 'Pod' }] of Object.entries(failures)) {
  test(`decoding refuses: ${title}`, () => {
    assert.throws(() => decodeObject(body, apiVersion, kind, 'Strict'), { message, name: 'StatusError' })
  })
}

test('Warn turns unknown fields into warnings, Ignore drops them silently', () => {
  const body = pod({ containers: [], foo: 1 })
  assert.deepEqual(decodeObject(body, 'v1', 'Pod', 'Warn').warnings, ['unknown field "spec.foo"'])
  const ignored = decodeObject(body, 'v1', 'Pod', 'Ignore')
  assert.deepEqual(ignored.warnings, [])
  assert.equal('foo' in (ignored.object.spec as object), false)
})

test('an object comes out as Go would write it again', () => {
  const body = pod({
    nodeName: '',
    hostNetwork: false,
    volumes: [],
    terminationGracePeriodSeconds: 0,
    containers: [
      { resources: { limits: { cpu: 0.5, memory: '1024Mi' } }, image: 'nginx', name: 'a', command: null },
    ],
  })
  const { object } = decodeObject(body, 'v1', 'Pod', 'Strict')
  assert.deepEqual(object, {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'web' },
    spec: {
      containers: [{ name: 'a', image: 'nginx', resources: { limits: { cpu: '500m', memory: '1Gi' } } }],
      terminationGracePeriodSeconds: 0,
    },
    status: {},
  })
  const [container] = (object.spec as { containers: object[] }).containers
  assert.deepEqual(Object.keys(container!), ['name', 'image', 'resources'])
})

test('decoding what was decoded changes nothing', () => {
  const first = decodeObject(pod({ containers: [{ name: 'a' }] }), 'v1', 'Pod').object
  assert.deepEqual(decodeObject(first, 'v1', 'Pod', 'Strict'), { object: first, warnings: [] })
})

test('times are written in UTC, micro times with six digits', () => {
  const lease = {
    spec: { renewTime: '2026-01-01T01:00:00.5+01:00' },
    metadata: { creationTimestamp: '2026-01-01T00:00:00.9Z' },
  }
  const { object } = decodeObject(lease, 'coordination.k8s.io/v1', 'Lease')
  assert.deepEqual(object.spec, { renewTime: '2026-01-01T00:00:00.500000Z' })
  assert.equal(object.metadata.creationTimestamp, '2026-01-01T00:00:00Z')
})

test('duplicate fields are found with their path', () => {
  const text = '{"a":{"b":1,"b":2},"list":[{"x":"{,\\""},{"x":1,"x":{"y":1}}],"a":3}'
  assert.deepEqual(findDuplicateFields(text), ['a.b', 'list[1].x', 'a'])
  const { value, problems } = parseJson('{"metadata":{"name":"a","name":"b"}}', true)
  assert.throws(() => decodeObject(value, 'v1', 'Pod', 'Strict', problems), {
    message: `${wrong}strict decoding error: duplicate field "metadata.name"`,
  })
})

test('with duplicate fields, all that is wrong is told in the order of the text', () => {
  const text =
    '{"spec":{"strange":{"a":1,"a":2},"hostPID":true,"hostPID":false,"strange":1,"containers":[{"odd":1}]}}'
  const { value, problems, keys } = parseJson(text, true)
  assert.throws(() => decodeObject(value, 'v1', 'Pod', 'Strict', problems, keys), {
    message: `${wrong}strict decoding error: unknown field "spec.strange", duplicate field "spec.hostPID", unknown field "spec.containers[0].odd"`,
  })
})

test('YAML is read as version 1.1 and reports keys set twice', () => {
  assert.deepEqual(parseYaml('a: yes\nb: 0o7\nc: 010\n').value, { a: true, b: '0o7', c: 8 })
  assert.deepEqual(parseYaml('a: 1\na: 2\n', true).problems, [
    'yaml: unmarshal errors:\n  line 2: key "a" already set in map',
  ])
})

test('a key called __proto__ stays a plain map key', () => {
  const { value } = parseJson('{"data":{"__proto__":"x"}}')
  const { object } = decodeObject(value, 'v1', 'ConfigMap')
  assert.deepEqual(Object.keys(object.data as object), ['__proto__'])
})

test('patch and apply facts are those of the Go source', () => {
  const containers = typeOf('core/v1.PodSpec').byName.get('containers')!
  assert.deepEqual(
    [containers.patchStrategy, containers.patchMergeKey, containers.listType, containers.listMapKeys],
    [['merge'], 'name', 'map', ['name']],
  )
  assert.equal(typeOf('core/v1.ContainerPort').byName.get('protocol')!.default, 'TCP')
  assert.equal(findType('apps/v1', 'Status')!.name, 'meta/v1.Status')
  assert.equal(findType('v1', 'PodSpec'), undefined)
})
