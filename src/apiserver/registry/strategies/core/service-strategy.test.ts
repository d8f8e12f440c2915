import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoints } from '../../../../api/types/core-v1.ts'
import { createRegistry } from '../../registry.ts'
import { failure, type Loose, TestRegistry } from '../../test-registry.ts'
import { ServiceAddresses } from './service-addresses.ts'

const service = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
})

test('a service gets an address of the range, and keeps it', async () => {
  const api = new TestRegistry()
  const made = await api.create('services', service('a'))
  assert.match(String(made.spec!.clusterIP), /^10\.96\.\d+\.\d+$/)
  assert.deepEqual(made.spec!.clusterIPs, [made.spec!.clusterIP])
  assert.deepEqual(made.spec!.ipFamilies, ['IPv4'])
  assert.equal(made.spec!.ipFamilyPolicy, 'SingleStack')
  assert.deepEqual(made.status, { loadBalancer: {} })
  const replaced = await api.update('services', {
    ...service('a', { ports: [{ port: 81 }] }),
  } as unknown as Loose)
  assert.equal(replaced.spec!.clusterIP, made.spec!.clusterIP)
  assert.equal(replaced.spec!.ports![0]!.port, 81)
})

test('addresses are taken once, inside the range, and free again after deletion', async () => {
  const api = new TestRegistry()
  await api.create('services', service('dns', { clusterIP: '10.96.0.10' }))
  const twice = await failure(api.create('services', service('b', { clusterIP: '10.96.0.10' })))
  assert.equal(
    twice.message,
    'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
  )
  const outside = await failure(api.create('services', service('b', { clusterIP: '192.168.0.1' })))
  assert.match(
    outside.message,
    /the provided IP \(192\.168\.0\.1\) is not in the valid range\. The range of valid IPs is 10\.96\.0\.0\/16$/,
  )
  await api.object('delete', 'services', { name: 'dns' })
  assert.equal(
    (await api.create('services', service('b', { clusterIP: '10.96.0.10' }))).spec!.clusterIP,
    '10.96.0.10',
  )
})

test('what fails or is a dry run takes nothing', async () => {
  const api = new TestRegistry()
  await api.create('services', service('a'))
  assert.equal((await failure(api.create('services', service('a', { clusterIP: '10.96.0.20' })))).code, 409)
  await api.create('services', service('dry', { clusterIP: '10.96.0.20' }), { options: { dryRun: ['All'] } })
  assert.equal(
    (await api.create('services', service('b', { clusterIP: '10.96.0.20' }))).spec!.clusterIP,
    '10.96.0.20',
  )
})

test('a headless service has no address, an external name neither', async () => {
  const api = new TestRegistry()
  const headless = await api.create('services', service('h', { clusterIP: 'None' }))
  assert.equal(headless.spec!.clusterIP, 'None')
  assert.deepEqual(headless.spec!.clusterIPs, ['None'])
  const external = await api.create('services', {
    metadata: { name: 'e' },
    spec: { type: 'ExternalName', externalName: 'example.com' },
  })
  assert.equal(external.spec!.clusterIP, undefined)
})

test('node ports are given, checked, and dropped when the type changes', async () => {
  const api = new TestRegistry()
  const made = await api.create('services', service('n', { type: 'NodePort' }))
  const port = Number(made.spec!.ports![0]!.nodePort)
  assert.ok(port >= 30_000 && port <= 32_767)
  const taken = await failure(
    api.create('services', service('m', { type: 'NodePort', ports: [{ port: 80, nodePort: port }] })),
  )
  assert.equal(
    taken.message,
    `Service "m" is invalid: spec.ports[0].nodePort: Invalid value: ${port}: provided port is already allocated`,
  )
  const outside = await failure(
    api.create('services', service('m', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })),
  )
  assert.match(
    outside.message,
    /provided port is not in the valid range\. The range of valid ports is 30000-32767$/,
  )
  const kept = await api.update('services', { ...service('n', { type: 'NodePort' }) } as unknown as Loose)
  assert.equal(kept.spec!.ports![0]!.nodePort, port)
  const plain = await api.patch('services', 'n', { spec: { type: 'ClusterIP' } })
  assert.equal(plain.spec!.ports![0]!.nodePort, undefined)
  const reused = await api.create(
    'services',
    service('m', { type: 'NodePort', ports: [{ port: 80, nodePort: port }] }),
  )
  assert.equal(reused.spec!.ports![0]!.nodePort, port)
})

test('a new start over the same store knows what is taken', async () => {
  const api = new TestRegistry()
  await api.create('services', service('dns', { clusterIP: '10.96.0.10' }))
  const { storage, clock } = api
  const admission = { admit: async () => {}, validate: async () => {} }
  const again = createRegistry({
    storage,
    clock,
    admission,
    nodeAccess: {} as never,
    tokenIssuer: {} as never,
  })
  const request = {
    user: { name: 'u', groups: [] },
    verb: 'create' as const,
    group: '',
    version: 'v1',
    resource: 'services',
    namespace: 'ns',
    body: service('b', { clusterIP: '10.96.0.10' }),
  }
  assert.match((await failure(again.handle(request))).message, /provided IP is already allocated$/)
})

test('a small range is used up to its last address, the first kept for kubernetes', () => {
  const addresses = new ServiceAddresses('10.0.0.0/29', () => 0)
  const given: string[] = []
  for (let ip = addresses.freeIp(); ip; ip = addresses.freeIp()) {
    given.push(ip)
    addresses.settle(`ns/${ip}`, { ips: new Set([ip]), nodePorts: new Set() })
  }
  assert.equal(addresses.first, '10.0.0.1')
  assert.deepEqual(given.sort(), ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6'])
})

test('the system’s own objects are made once', async () => {
  const api = new TestRegistry()
  await api.registry.ensureSystemObjects()
  const revision = api.storage.revision()
  await api.registry.ensureSystemObjects()
  assert.equal(api.storage.revision(), revision)
  const kubernetes = await api.get('services', 'kubernetes', { namespace: 'default' })
  assert.equal(kubernetes.spec!.clusterIP, '10.96.0.1')
  const list = await api.list('namespaces')
  assert.deepEqual(
    list.items.map(item => item.metadata.name),
    ['default', 'kube-node-lease', 'kube-public', 'kube-system'],
  )
  const critical = await api.get('scheduling.k8s.io/v1/priorityclasses', 'system-node-critical')
  assert.equal(critical.value, 2_000_001_000)
})

test('the system’s own objects come back when somebody deletes them', async () => {
  const api = new TestRegistry()
  await api.registry.ensureSystemObjects({ address: '192.0.2.1', port: 6443 })
  const stop = new AbortController()
  const running = api.registry.run(stop.signal)
  await api.object('delete', 'services', { name: 'kubernetes', namespace: 'default' })
  await api.object('delete', 'endpoints', { name: 'kubernetes', namespace: 'default' })
  await api.clock.advance(9_999)
  assert.equal((await failure(api.get('services', 'kubernetes', { namespace: 'default' }))).code, 404)
  await api.clock.advance(1)
  const { spec } = await api.get('services', 'kubernetes', { namespace: 'default' })
  assert.equal(spec!.clusterIP, '10.96.0.1')
  const endpoints = await api.get('endpoints', 'kubernetes', { namespace: 'default' })
  assert.deepEqual((endpoints as unknown as Endpoints).subsets?.[0]?.addresses, [{ ip: '192.0.2.1' }])
  stop.abort()
  await running
})
