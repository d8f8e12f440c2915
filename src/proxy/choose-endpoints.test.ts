import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndpointSlice } from '../api/types/discovery-v1.ts'
import { chooseEndpoints, countLocalEndpoints } from './choose-endpoints.ts'
import { endpoint, service, slice } from './services.fixture.ts'

const place = { nodeName: 'here', zone: 'a' }
const port = { port: 80, protocol: 'TCP' as const }
const far = { nodeName: 'there' }
const hints = (zone: string, node?: string) => ({
  hints: { forZones: [{ name: zone }], ...(node && { forNodes: [{ name: node }] }) },
})

const cases: Record<string, [EndpointSlice[], { cluster: string; local: string; anywhere: boolean }]> = {
  'ready ones take traffic': [
    [slice([endpoint('10.0.0.1'), endpoint('10.0.0.2', { ready: false })])],
    { cluster: '10.0.0.1', local: '10.0.0.1', anywhere: true },
  ],
  'those that terminate take none while another is ready': [
    [slice([endpoint('10.0.0.1'), endpoint('10.0.0.2', { ready: false, serving: true, terminating: true })])],
    { cluster: '10.0.0.1', local: '10.0.0.1', anywhere: true },
  ],
  'those that terminate and serve take it when none is ready': [
    [
      slice([
        endpoint('10.0.0.1', { ready: false }),
        endpoint('10.0.0.2', { ready: false, serving: true, terminating: true }),
        endpoint('10.0.0.3', { ready: false, serving: false, terminating: true }),
      ]),
    ],
    { cluster: '10.0.0.2', local: '10.0.0.2', anywhere: true },
  ],
  'nobody is fit': [
    [slice([endpoint('10.0.0.1', { ready: false })])],
    { cluster: '', local: '', anywhere: false },
  ],
  'local ones are judged by themselves': [
    [
      slice([
        endpoint('10.0.0.1', far),
        endpoint('10.0.0.2', { ready: false, serving: true, terminating: true }),
      ]),
    ],
    { cluster: '10.0.0.1', local: '10.0.0.2', anywhere: true },
  ],
  'elsewhere only': [
    [slice([endpoint('10.0.0.1', far)])],
    { cluster: '10.0.0.1', local: '', anywhere: true },
  ],
  'unknown conditions count as ready': [
    [slice([{ addresses: ['10.0.0.1'], conditions: {} }])],
    { cluster: '10.0.0.1', local: '', anywhere: true },
  ],
  'hints for this zone are followed': [
    [slice([endpoint('10.0.0.1', hints('a')), endpoint('10.0.0.2', hints('b'))])],
    { cluster: '10.0.0.1', local: '10.0.0.1 10.0.0.2', anywhere: true },
  ],
  'hints count only when every ready endpoint has one': [
    [slice([endpoint('10.0.0.1', hints('a')), endpoint('10.0.0.2')])],
    { cluster: '10.0.0.1 10.0.0.2', local: '10.0.0.1 10.0.0.2', anywhere: true },
  ],
  'hints for nobody here are ignored': [
    [slice([endpoint('10.0.0.1', hints('b'))])],
    { cluster: '10.0.0.1', local: '10.0.0.1', anywhere: true },
  ],
  'the same node goes before the same zone': [
    [slice([endpoint('10.0.0.1', hints('a', 'here')), endpoint('10.0.0.2', hints('a', 'there'))])],
    { cluster: '10.0.0.1', local: '10.0.0.1 10.0.0.2', anywhere: true },
  ],
  'other families and other ports are passed over': [
    [
      slice([endpoint('fd00::1')], { addressType: 'IPv6' }),
      slice([endpoint('10.0.0.1')], { ports: [{ name: 'x', port: 81, protocol: 'TCP' }] }),
      slice([endpoint('10.0.0.2')], { ports: [{ name: '', port: 81, protocol: 'UDP' }] }),
    ],
    { cluster: '', local: '', anywhere: false },
  ],
  'an address that moves between slices counts once, in its fitter form': [
    [slice([endpoint('10.0.0.1', { ready: false })]), slice([endpoint('10.0.0.1')])],
    { cluster: '10.0.0.1', local: '10.0.0.1', anywhere: true },
  ],
  'slices without anything are no trouble': [
    [
      { metadata: { name: 's' }, addressType: 'IPv4' } as EndpointSlice,
      slice([{ addresses: [], conditions: {} }]),
    ],
    { cluster: '', local: '', anywhere: false },
  ],
}

for (const [title, [slices, expected]] of Object.entries(cases)) {
  test(`endpoints: ${title}`, () => {
    const { cluster, local, anywhere } = chooseEndpoints(port, slices, place)
    const text = (list: readonly { ip: string }[]) => list.map(({ ip }) => ip).join(' ')
    assert.deepEqual({ cluster: text(cluster), local: text(local), anywhere }, expected)
  })
}

const leaving = { ready: false, serving: true, terminating: true }
const counts: Record<string, [EndpointSlice[], number]> = {
  'each address once, whatever it serves': [
    [slice([endpoint('10.0.0.1'), endpoint('10.0.0.2')]), slice([endpoint('10.0.0.1')])],
    2,
  ],
  'none of another node': [[slice([endpoint('10.0.0.1', far)])], 0],
  'none that terminates, though it takes the traffic': [[slice([endpoint('10.0.0.1', leaving)])], 0],
}

for (const [title, [slices, expected]] of Object.entries(counts)) {
  test(`a health check counts ${title}`, () =>
    assert.equal(countLocalEndpoints(service(), slices, place), expected))
}
