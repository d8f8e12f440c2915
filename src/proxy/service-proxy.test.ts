import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../api/kube-object.ts'
import { endpointSlices, services } from '../api/resources.ts'
import type { Service } from '../api/types/core-v1.ts'
import type { EndpointSlice } from '../api/types/discovery-v1.ts'
import { identityOf } from '../base/netlink/nft-elements.ts'
import { ControlWorld } from '../controllers/testing/control-world.fixture.ts'
import type { Element } from './elements.ts'
import type { Changes } from './rule-table.ts'
import { type RuleTarget, ServiceProxy } from './service-proxy.ts'
import { shown } from './services.fixture.ts'

/** A kernel that may refuse: an address, or everything for once. */
class Kernel implements RuleTarget {
  held = new Map<string, Element>()
  installs = 0
  refuses: (changes: Changes) => boolean = () => false

  async install(elements: Element[]): Promise<void> {
    this.installs++
    if (this.refuses({ remove: [], add: elements })) throw new Error('refused')
    this.held = new Map(elements.map(element => [identityOf(element), element]))
  }

  async apply(changes: Changes): Promise<void> {
    if (this.refuses(changes)) throw new Error('refused')
    for (const element of changes.remove) assert.ok(this.held.delete(identityOf(element)))
    for (const element of changes.add) this.held.set(identityOf(element), element)
  }

  hasStaleRoutes = false
  sweeps = 0

  forgetStaleRoutes(): void {
    this.sweeps++
    this.hasStaleRoutes = false
  }

  text(): string[] {
    return shown([...this.held.values()])
  }
}

async function lab() {
  const world = await ControlWorld.create()
  const kernel = new Kernel()
  const { client, clock, log } = world
  return {
    world,
    kernel,
    start() {
      const proxy = new ServiceProxy({ client, clock, log, place: { nodeName: 'here' }, target: kernel })
      world.start(signal => proxy.run(signal))
    },
    makeService: (name: string, clusterIP: string) =>
      client.create<Service>(services, {
        metadata: { name, namespace: 'default' },
        spec: { clusterIP, ports: [{ port: 80, targetPort: 8080 }] },
      } as Draft<Service>),
    makeSlice: (name: string, ip: string) =>
      client.create<EndpointSlice>(endpointSlices, {
        metadata: {
          name: `${name}-x`,
          namespace: 'default',
          labels: { 'kubernetes.io/service-name': name },
        },
        addressType: 'IPv4',
        ports: [{ name: '', port: 8080, protocol: 'TCP' }],
        endpoints: [{ addresses: [ip], conditions: { ready: true }, nodeName: 'here' }],
      } as Draft<EndpointSlice>),
    leadsTo: (ip: string) => kernel.text().some(text => text.endsWith(`-> ${ip}:8080`)),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

test('what is there at the start is installed at once, what changes afterwards is applied', async () => {
  await using made = await lab()
  const { world, kernel, start, makeService, makeSlice, leadsTo } = made
  await makeService('a', '10.96.0.20')
  await makeSlice('a', '10.244.0.2')
  start()
  await world.settle()
  assert.equal(kernel.installs, 1)
  assert.ok(leadsTo('10.244.0.2'))
  await makeService('b', '10.96.0.21')
  await makeSlice('b', '10.244.0.3')
  await world.settle()
  assert.ok(leadsTo('10.244.0.3'))
  await world.client.delete(services, { name: 'a', namespace: 'default' })
  await world.settle()
  assert.ok(!leadsTo('10.244.0.2') && leadsTo('10.244.0.3'))
  assert.equal(kernel.installs, 1)
})

test('a refused change is followed by everything anew', async () => {
  await using made = await lab()
  const { world, kernel, start, makeService, makeSlice, leadsTo } = made
  start()
  await makeService('a', '10.96.0.20')
  await world.settle()
  let refusals = 1
  kernel.refuses = () => refusals-- > 0
  await makeSlice('a', '10.244.0.2')
  await world.settle()
  assert.ok(!leadsTo('10.244.0.2'))
  await world.advance(1_000)
  await world.advance(1_000)
  assert.ok(leadsTo('10.244.0.2'))
})

test('one Service that the kernel refuses does not keep out the others', async () => {
  await using made = await lab()
  const { world, kernel, start, makeService, makeSlice, leadsTo } = made
  await makeService('bad', '10.96.0.66')
  await makeSlice('bad', '10.244.0.66')
  kernel.refuses = ({ add }) => shown(add).some(text => text.includes('10.244.0.66'))
  await makeService('good', '10.96.0.20')
  await makeSlice('good', '10.244.0.2')
  start()
  for (let second = 0; second < 4; second++) await world.advance(1_000)
  assert.ok(leadsTo('10.244.0.2') && !leadsTo('10.244.0.66'))
  kernel.refuses = () => false
  await makeService('more', '10.96.0.21')
  await makeSlice('more', '10.244.0.3')
  for (let second = 0; second < 4; second++) await world.advance(1_000)
  assert.ok(leadsTo('10.244.0.2') && leadsTo('10.244.0.3'))
})

test('connections are looked through at once, and not with every change', async () => {
  await using made = await lab()
  const { world, kernel, start, makeService, makeSlice } = made
  start()
  await world.settle()
  for (let index = 0; index < 10; index++) {
    kernel.hasStaleRoutes = true
    await makeService(`s${index}`, `10.96.0.${20 + index}`)
    await makeSlice(`s${index}`, '10.244.0.2')
    await world.settle()
  }
  assert.equal(kernel.sweeps, 1)
  await world.advance(1_000)
  assert.equal(kernel.sweeps, 2)
})
