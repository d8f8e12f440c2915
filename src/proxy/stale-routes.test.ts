import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Service } from '../api/types/core-v1.ts'
import type { Connection } from '../base/netlink/conntrack.ts'
import { endpointBytes, ipBytes, portBytes, protocolBytes } from '../base/netlink/nft-elements.ts'
import { compileService } from './compile-service.ts'
import { RuleTable } from './rule-table.ts'
import { endpoint, service, slice } from './services.fixture.ts'
import { isStaleMemory, mergeStale, staleRouteOf, staleRoutes } from './stale-routes.ts'

const connection = (to: string, by: string, protocolNumber = 6): Connection => {
  const [destination, destinationPort] = to.split(':') as [string, string]
  const [answerer, answererPort] = by.split(':') as [string, string]
  return {
    protocolNumber,
    destination,
    destinationPort: Number(destinationPort),
    answerer,
    answererPort: Number(answererPort),
    original: Buffer.alloc(0),
    id: undefined,
  }
}
const memory = (frontend: string, to: string) => {
  const [ip, port] = frontend.split(':') as [string, string]
  const [address, number] = to.split(':') as [string, string]
  const key = Buffer.concat([ipBytes('10.0.9.9'), ipBytes(ip), protocolBytes('TCP'), portBytes(Number(port))])
  return {
    map: 'affinity',
    key,
    value: { to: 'data' as const, bytes: endpointBytes(address, Number(number)) },
  }
}
const nodePort = {
  type: 'NodePort' as const,
  ports: [{ port: 80, protocol: 'TCP' as const, nodePort: 30_080 }],
}

/** What is stale when a Service's endpoints change so. */
function change(before: string[], after: string[], spec: Partial<Service['spec']> = {}, then = spec) {
  const table = new RuleTable()
  const elements = (ips: string[], of: Partial<Service['spec']>) =>
    compileService(
      service(of),
      [
        slice(
          ips.map(ip => endpoint(ip)),
          of.ports
            ? { ports: of.ports.map(({ protocol = 'TCP' }) => ({ name: '', port: 8080, protocol })) }
            : {},
        ),
      ],
      { nodeName: 'here' },
    )
  table.set('web', elements(before, spec))
  return staleRoutes(table.set('web', elements(after, then)))
}

const connections: Record<string, [ReturnType<typeof change>, Connection, boolean]> = {
  'to an endpoint that is gone': [
    change(['10.0.0.1', '10.0.0.2'], ['10.0.0.2']),
    connection('10.96.0.20:80', '10.0.0.1:8080'),
    true,
  ],
  'to one that moved up in the list': [
    change(['10.0.0.1', '10.0.0.2'], ['10.0.0.2']),
    connection('10.96.0.20:80', '10.0.0.2:8080'),
    false,
  ],
  'to the same endpoint through another Service': [
    change(['10.0.0.1'], []),
    connection('10.96.0.21:80', '10.0.0.1:8080'),
    false,
  ],
  'over another protocol': [
    change(['10.0.0.1'], []),
    connection('10.96.0.20:80', '10.0.0.1:8080', 17),
    false,
  ],
  'through a node port at any address': [
    change(['10.0.0.1'], [], nodePort),
    connection('192.0.2.2:30080', '10.0.0.1:8080'),
    true,
  ],
  'that nobody answered until now, of datagrams,': [
    change([], ['10.0.0.1'], { ports: [{ port: 80, protocol: 'UDP' }] }),
    connection('10.96.0.20:80', '10.96.0.20:80', 17),
    true,
  ],
  'that was refused': [change([], ['10.0.0.1']), connection('10.96.0.20:80', '10.96.0.20:80'), false],
  'when only the affinity changed': [
    change(['10.0.0.1'], ['10.0.0.1'], { sessionAffinity: 'ClientIP' }, {}),
    connection('10.96.0.20:80', '10.0.0.1:8080'),
    false,
  ],
}

for (const [title, [stale, one, expected]] of Object.entries(connections)) {
  test(`a connection ${title} ${expected ? 'is' : 'is not'} stale`, () =>
    assert.equal(staleRouteOf(one, stale.routes) !== undefined, expected))
}

test('clients are forgotten with their endpoint, and all of them with the affinity', () => {
  const affinity: Partial<Service['spec']> = { sessionAffinity: 'ClientIP' }
  const gone = change(['10.0.0.1', '10.0.0.2'], ['10.0.0.2'], affinity)
  assert.equal(isStaleMemory(memory('10.96.0.20:80', '10.0.0.1:8080'), gone), true)
  assert.equal(isStaleMemory(memory('10.96.0.20:80', '10.0.0.2:8080'), gone), false)
  const off = change(['10.0.0.1'], ['10.0.0.1'], affinity, {})
  assert.equal(isStaleMemory(memory('10.96.0.20:80', '10.0.0.1:8080'), off), true)
  assert.equal(isStaleMemory(memory('10.96.0.21:80', '10.0.0.1:8080'), off), false)
})

test('what is stale is noted until it is looked for, but for what came back', () => {
  const there = ['10.0.0.1', '10.0.0.2']
  const both = mergeStale(change(there, ['10.0.0.2']), change(['10.0.0.2'], []))
  assert.equal(both.routes.size, 2)
  assert.equal(mergeStale(change(there, ['10.0.0.2']), change(['10.0.0.2'], there)).routes.size, 0)
})
