import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRegistry } from '../../registry.ts'
import { failure, type Loose, TestRegistry } from '../../test-registry.ts'

const service = (name: string, spec: object = {}) => ({
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
})

const addressNames = async (api: TestRegistry) =>
  (await api.list('networking.k8s.io/v1/ipaddresses')).items.map(({ metadata }) => metadata.name)

test('no address and no port is given twice, whatever is written, deleted and refused at the same time', async () => {
  const api = new TestRegistry()
  const names = Array.from({ length: 40 }, (_, index) => `s${index % 20}`)
  const bySome = (index: number) =>
    index % 3 === 0
      ? { clusterIP: `10.96.0.${10 + (index % 5)}` }
      : index % 3 === 1
        ? {}
        : { type: 'NodePort' }
  for (let round = 0; round < 5; round++) {
    await Promise.allSettled(
      names.map((name, index) =>
        index % 4 === 3
          ? api.object('delete', 'services', { name })
          : index % 4 === 2
            ? api.patch('services', name, { spec: { type: round % 2 ? 'NodePort' : 'ClusterIP' } })
            : api.create('services', service(name, bySome(index + round))),
      ),
    )
    const { items } = await api.list('services')
    const specs = items.map(item => (item as unknown as Loose).spec!)
    const ips = specs.map(spec => String(spec.clusterIP))
    const ports = specs.flatMap(spec =>
      (spec.ports as unknown as { nodePort?: number }[]).flatMap(p => p.nodePort ?? []),
    )
    assert.equal(new Set(ips).size, ips.length)
    assert.equal(new Set(ports).size, ports.length)
    assert.deepEqual((await addressNames(api)).toSorted(), ips.toSorted())
  }
})

test('two creations of one name at once leave what the stored one holds', async () => {
  const api = new TestRegistry()
  const both = await Promise.allSettled([
    api.create('services', service('a', { clusterIP: '10.96.0.20' })),
    api.create('services', service('a', { clusterIP: '10.96.0.21' })),
  ])
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  const stored = (await api.get('services', 'a')).spec!.clusterIP as unknown as string
  const other = stored === '10.96.0.20' ? '10.96.0.21' : '10.96.0.20'
  assert.deepEqual(await addressNames(api), [stored])
  assert.equal((await failure(api.create('services', service('b', { clusterIP: stored })))).code, 422)
  await api.create('services', service('b', { clusterIP: other }))
})

test('an IPAddress of somebody’s own reserves the address', async () => {
  const api = new TestRegistry()
  await api.create('networking.k8s.io/v1/ipaddresses', {
    metadata: { name: '10.96.0.30' },
    spec: { parentRef: { resource: 'gateways', group: 'example.com', name: 'g', namespace: 'ns' } },
  })
  const taken = await failure(api.create('services', service('a', { clusterIP: '10.96.0.30' })))
  assert.match(taken.message, /failed to allocate IP 10\.96\.0\.30: provided IP is already allocated$/)
})

test('the IPAddress of a service names it and goes with its address', async () => {
  const api = new TestRegistry()
  await api.create('services', service('a', { clusterIP: '10.96.0.20' }))
  const address = await api.get('networking.k8s.io/v1/ipaddresses', '10.96.0.20')
  assert.deepEqual(address.spec!.parentRef, { resource: 'services', namespace: 'ns', name: 'a' })
  assert.deepEqual(address.metadata.labels, {
    'ipaddress.kubernetes.io/ip-family': 'IPv4',
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
  })
  await api.patch('services', 'a', { spec: { type: 'ExternalName', externalName: 'a.example' } })
  assert.deepEqual(await addressNames(api), [])
  const back = await api.patch('services', 'a', { spec: { type: 'ClusterIP', externalName: null } })
  assert.deepEqual(await addressNames(api), [back.spec!.clusterIP])
})

test('a start repairs IPAddress objects: missing ones are made, those of nobody removed', async () => {
  const api = new TestRegistry()
  await api.create('services', service('a', { clusterIP: '10.96.0.20' }))
  const prefix = '/registry/networking.k8s.io/ipaddresses/'
  const { object, revision } = api.storage.get(`${prefix}10.96.0.20`)!
  await api.storage.delete(`${prefix}10.96.0.20`, revision)
  const stray = structuredClone(object)
  stray.metadata.name = '10.96.0.99'
  await api.storage.create(`${prefix}10.96.0.99`, stray)
  const again = createRegistry({
    storage: api.storage,
    clock: api.clock,
    admission: { admit: async () => {}, validate: async () => {} },
    nodeAccess: {} as never,
    tokenIssuer: {} as never,
  })
  await again.ensureSystemObjects()
  assert.deepEqual(await addressNames(api), ['10.96.0.1', '10.96.0.20'])
})

const families: Record<string, [spec: object, expected: object | string]> = {
  'a headless service without selector may have both families': [
    { clusterIP: 'None', selector: undefined },
    { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' },
  ],
  'preferring both is content with one': [
    { ipFamilyPolicy: 'PreferDualStack' },
    { ipFamilies: ['IPv4'], ipFamilyPolicy: 'PreferDualStack' },
  ],
  'requiring both is refused': [
    { ipFamilyPolicy: 'RequireDualStack' },
    'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
  ],
  'the other family is refused': [
    { ipFamilies: ['IPv6'] },
    'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
  ],
  'an address of the other family is refused': [
    { clusterIP: 'fd00::1' },
    'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
  ],
}

for (const [title, [spec, expected]] of Object.entries(families)) {
  test(`families: ${title}`, async () => {
    const api = new TestRegistry()
    const made = api.create('services', service('a', spec))
    if (typeof expected === 'string') {
      assert.equal((await failure(made)).message, `Service "a" is invalid: ${expected}`)
      return
    }
    const { ipFamilies, ipFamilyPolicy } = (await made).spec!
    assert.deepEqual({ ipFamilies, ipFamilyPolicy }, expected)
  })
}

test('a change of type drops what the new type has no use for', async () => {
  const api = new TestRegistry()
  const balancer = {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    loadBalancerClass: 'example.com/x',
  }
  const made = await api.create('services', service('a', balancer))
  assert.ok(Number(made.spec!.healthCheckNodePort) >= 30_000)
  const plain = await api.update('services', {
    ...made,
    spec: { ...made.spec, type: 'ClusterIP' },
  } as unknown as Loose)
  for (const field of [
    'healthCheckNodePort',
    'loadBalancerClass',
    'externalTrafficPolicy',
    'allocateLoadBalancerNodePorts',
  ])
    assert.equal(plain.spec![field], undefined, field)
  assert.equal(plain.spec!.ports![0]!.nodePort, undefined)
  assert.equal(plain.spec!.clusterIP, made.spec!.clusterIP)
})

test('an address cannot be exchanged, whatever the other one is', async () => {
  const api = new TestRegistry()
  await api.create('services', service('a', { clusterIP: '10.96.0.20' }))
  await api.create('services', service('b', { clusterIP: '10.96.0.21' }))
  for (const clusterIP of ['10.96.0.21', '10.96.0.22', '192.168.0.1']) {
    const { message } = await failure(api.patch('services', 'a', { spec: { clusterIP } }))
    const why = `spec.clusterIPs[0]: Invalid value: ["${clusterIP}"]: may not change once set`
    assert.equal(message, `Service "a" is invalid: ${why}`)
  }
  assert.deepEqual(await addressNames(api), ['10.96.0.20', '10.96.0.21'])
})

test('fields that mean nothing for a headless service are said to be ignored', async () => {
  const api = new TestRegistry()
  const body = service('h', { clusterIP: 'None', sessionAffinity: 'ClientIP', externalIPs: ['203.0.113.1'] })
  const response = await api.send('create', 'services', { body })
  assert.deepEqual(response.kind === 'object' && response.warnings, [
    'spec.externalIPs is ignored when spec.clusterIP is "None"',
    'spec.SessionAffinity is ignored when spec.clusterIP is "None"',
  ])
})

test('ports keep their node ports by name when others come and go', async () => {
  const api = new TestRegistry()
  const port = (name: string, number: number) => ({ name, port: number })
  const made = await api.create(
    'services',
    service('a', { type: 'NodePort', ports: [port('x', 80), port('y', 81)] }),
  )
  const nodePort = (object: Loose, name: string) =>
    (object.spec!.ports as unknown as { name: string; nodePort: number }[]).find(one => one.name === name)
      ?.nodePort
  const changed = await api.update('services', {
    ...service('a', { type: 'NodePort', ports: [port('z', 79), port('y', 8081)] }),
  } as unknown as Loose)
  assert.equal(nodePort(changed, 'y'), nodePort(made, 'y'))
  assert.notEqual(nodePort(changed, 'z'), nodePort(made, 'y'))
})
