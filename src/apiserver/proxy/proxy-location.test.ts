import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiRequest } from '../../api/request.ts'
import { notFound, StatusError } from '../../api/status-error.ts'
import { locate } from './proxy-location.ts'
import { splitSchemeNamePort } from './scheme-name-port.ts'

const objects: Record<string, object> = {
  'pods/web': {
    spec: { containers: [{ name: 'a' }, { name: 'b', ports: [{ containerPort: 8080 }] }] },
    status: { podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }] },
  },
  'pods/bare': { spec: { containers: [{ name: 'a' }] }, status: { podIP: '10.0.0.8' } },
  'pods/waiting': { spec: { containers: [{ name: 'a' }] }, status: {} },
  'pods/evil': { spec: { containers: [{ name: 'a' }] }, status: { podIP: '127.0.0.1' } },
  'services/web': {
    spec: {
      ports: [
        { name: 'main', port: 80 },
        { name: 'admin', port: 81 },
      ],
    },
  },
  'endpoints/web': {
    subsets: [
      {
        addresses: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }, { ip: '169.254.1.1' }],
        ports: [{ name: 'main', port: 8080 }],
      },
      { addresses: [{ ip: '10.0.0.3' }], ports: [{ name: 'main', port: 9090 }] },
    ],
  },
  'endpoints/empty': {},
  'endpoints/plain': { subsets: [{ addresses: [{ ip: '10.0.0.9' }], ports: [{ port: 53 }] }] },
  'nodes/silent': {
    metadata: { name: 'silent' },
    status: { daemonEndpoints: { kubeletEndpoint: { Port: 0 } } },
  },
  'nodes/node-1': {
    metadata: { name: 'node-1' },
    status: {
      addresses: [{ type: 'InternalIP', address: '192.168.1.5' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
    },
  },
}

const handle = async ({ resource, name = '' }: ApiRequest) => {
  const object = objects[`${resource}/${name}`]
  if (!object) throw notFound({ group: '', resource }, name)
  return { kind: 'object', code: 200, object } as never
}

const at = (resource: string, name: string, random = 0) =>
  locate(
    { handle, random: () => random },
    { name: 'tester', groups: [] },
    { resource, namespace: 'default', name },
  )

const http = (host: string, port: number) => ({ to: 'address', scheme: 'http', host, port })

const found: [resource: string, name: string, random: number, expected: object][] = [
  ['pods', 'web', 0, http('10.0.0.7', 8080)],
  ['pods', 'web:81', 0, http('10.0.0.7', 81)],
  ['pods', 'https:web:443', 0, { ...http('10.0.0.7', 443), scheme: 'https' }],
  ['pods', 'bare', 0, http('10.0.0.8', 80)],
  ['services', 'web:main', 0, http('10.0.0.1', 8080)],
  ['services', 'web:80', 0.5, http('10.0.0.2', 8080)],
  ['services', 'web:main', 0.99, http('10.0.0.3', 9090)],
  ['services', 'plain', 0, http('10.0.0.9', 53)],
  ['nodes', 'node-1', 0, { to: 'kubelet', nodeName: 'node-1' }],
  ['nodes', 'silent:10250', 0, { to: 'kubelet', nodeName: 'silent' }],
  ['nodes', 'https:node-1:10250', 0, { to: 'kubelet', nodeName: 'node-1' }],
  ['nodes', 'node-1:9100', 0, http('192.168.1.5', 9100)],
]
for (const [resource, name, random, expected] of found) {
  test(`${resource}/${name} (chance ${random}) is found`, async () => {
    assert.deepEqual(await at(resource, name, random), expected)
  })
}

const refused: [resource: string, name: string, code: number, message: string][] = [
  ['pods', 'a:b:c:d', 400, 'invalid pod request "a:b:c:d"'],
  ['pods', 'ftp:web:1', 400, 'invalid pod request "ftp:web:1"'],
  ['pods', 'waiting', 400, 'address not allowed'],
  ['pods', 'evil', 400, 'address not allowed'],
  ['pods', 'nobody', 404, 'pods "nobody" not found'],
  ['services', ':80', 400, 'invalid service request ":80"'],
  ['services', 'web:99', 503, 'no service port 99 found for service "web"'],
  ['services', 'web:admin', 503, 'no endpoints available for service "web:admin"'],
  ['services', 'empty:main', 503, 'no endpoints available for service "empty"'],
  ['nodes', 'node-2', 404, 'nodes "node-2" not found'],
]
for (const [resource, name, code, message] of refused) {
  test(`${resource}/${name} is refused: ${message}`, async () => {
    await assert.rejects(at(resource, name), error => {
      assert.ok(error instanceof StatusError)
      assert.deepEqual([error.status.code, error.status.message], [code, message])
      return true
    })
  })
}

test('names with scheme and port', () => {
  assert.deepEqual(splitSchemeNamePort('web'), { scheme: 'http', hasScheme: false, name: 'web', port: '' })
  assert.deepEqual(splitSchemeNamePort('http:web:'), {
    scheme: 'http',
    hasScheme: true,
    name: 'web',
    port: '',
  })
})
