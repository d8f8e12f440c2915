import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createErrors, objectOf, updateErrors } from '../test-validation.ts'

const ingress = (spec: object, metadata: object = {}) =>
  objectOf('networking.k8s.io/v1', 'Ingress', 'd', { metadata, spec, status: { loadBalancer: {} } })
const service = { name: 'web', port: { number: 80 } }
const backend = (parts: object) => ({ defaultBackend: { service: { ...service, ...parts } } })
const path = (parts: object) => ({
  rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service }, ...parts }] } }],
})
const at = 'spec.rules[0].http.paths[0]'

const cases: Record<string, [object, ...string[]]> = {
  'a backend is enough': [backend({})],
  'nothing is not': [{}, 'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
  'a backend is one thing': [
    { defaultBackend: {} },
    'spec.defaultBackend: Invalid value: "": resource or service backend is required',
  ],
  'and not two': [
    { defaultBackend: { service, resource: { kind: 'A', name: 'a' } } },
    'spec.defaultBackend: Invalid value: "": cannot set both resource and service backends',
  ],
  'a port is a number or a name': [
    backend({ port: {} }),
    'spec.defaultBackend: Required value: port name or number is required',
  ],
  'and not both': [
    backend({ port: { name: 'a', number: 1 } }),
    'spec.defaultBackend: Invalid value: "": cannot set both port name & port number',
  ],
  'a number of a port': [
    backend({ port: { number: 65_536 } }),
    'spec.defaultBackend.service.port.number: Invalid value: 65536: must be between 1 and 65535, inclusive',
  ],
  'a resource is named': [
    { defaultBackend: { resource: { kind: 'A' } } },
    'spec.defaultBackend.resource.name: Required value',
  ],
  'paths have a type': [
    path({ pathType: undefined }),
    `${at}.pathType: Required value: pathType must be specified`,
  ],
  'that is known': [
    path({ pathType: 'Regex' }),
    `${at}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
  ],
  'paths are absolute': [path({ path: 'a' }), `${at}.path: Invalid value: "a": must be an absolute path`],
  'but may be left out of some': [path({ path: '', pathType: 'ImplementationSpecific' })],
  'and plain': [
    path({ path: '/a//b/..' }),
    `${at}.path: Invalid value: "/a//b/..": must not contain '//'`,
    `${at}.path: Invalid value: "/a//b/..": cannot end with '/..'`,
  ],
  'there are paths': [{ rules: [{ http: {} }] }, 'spec.rules[0].http.paths: Required value'],
  'a host is a name': [
    { rules: [{ host: '1.2.3.4' }] },
    'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
  ],
  'of any one label': [
    { rules: [{ host: 'a.*.com' }] },
    "spec.rules[0].host: Invalid value: \"a.*.com\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ],
}

for (const [title, [spec, ...expected]] of Object.entries(cases)) {
  test(`ingress validation: ${title}`, () => assert.deepEqual(createErrors(ingress(spec)), expected))
}

const annotated = ingress(
  { ...backend({}), ingressClassName: 'b' },
  { annotations: { 'kubernetes.io/ingress.class': 'a' } },
)

test('a new ingress names one class', () => {
  assert.deepEqual(createErrors(annotated), [
    'annotations.kubernetes.io/ingress.class: Invalid value: "a": must match `ingressClassName` when both are specified',
  ])
})

test('an old one may name two', () => assert.deepEqual(updateErrors(annotated, annotated), []))

test('a balancer has addresses and names', () => {
  const old = ingress(backend({}))
  const status = { loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '1.2.3.4' }] } }
  assert.deepEqual(updateErrors({ ...old, status }, old, 'status'), [
    'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[1].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
  ])
})

const ingressClass = (spec: object) => objectOf('networking.k8s.io/v1', 'IngressClass', '', { spec })
const parameters = (parts: object) => ({
  controller: 'example.com/c',
  parameters: { kind: 'K', name: 'n', scope: 'Cluster', ...parts },
})

const classes: Record<string, [object, ...string[]]> = {
  'a controller is enough': [{ controller: 'example.com/c' }],
  'it must be there': [{}, 'spec.controller: Required value'],
  'under a domain': [
    { controller: 'c' },
    'spec.controller: Invalid value: "c": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  'a scope is known': [
    parameters({ scope: 'World' }),
    'spec.parameters.scope: Unsupported value: "World": supported values: "Cluster", "Namespace"',
  ],
  'that of a namespace names it': [
    parameters({ scope: 'Namespace' }),
    "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
  ],
  'and that of the cluster does not': [
    parameters({ namespace: 'a' }),
    "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
  ],
}

for (const [title, [spec, ...expected]] of Object.entries(classes)) {
  test(`ingress class validation: ${title}`, () =>
    assert.deepEqual(createErrors(ingressClass(spec)), expected))
}

test('an ingress class keeps its controller', () => {
  const [before, after] = ['example.com/a', 'example.com/b'].map(controller => ingressClass({ controller }))
  const expected = ['spec.controller: Invalid value: "example.com/b": field is immutable']
  assert.deepEqual(updateErrors(after!, before!), expected)
})
