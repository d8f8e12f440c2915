import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import type { Pod, Service } from '../../api/types/core-v1.ts'
import type { EndpointSlice } from '../../api/types/discovery-v1.ts'
import { decideSlices, endpointKey } from './decide-slices.ts'
import { node, type PodShape, pod, pods, service } from './slices.fixture.ts'

const nodes = new Map([node('n1', 'zone-a'), node('n2', 'zone-b')].map(one => [one.metadata.name, one]))
const decide = (of: Service, some: readonly Pod[], slices: readonly EndpointSlice[] = []) =>
  decideSlices({ service: of, pods: some, slices, findNode: name => nodes.get(name) })

let made = 0
/** As the server would have stored it. */
const stored = (draft: Draft<EndpointSlice>): EndpointSlice =>
  ({
    ...draft,
    metadata: { ...draft.metadata, name: `web-${made++}`, resourceVersion: '1' },
  }) as EndpointSlice

/** Slices after the actions. */
function after(slices: readonly EndpointSlice[], actions: ReturnType<typeof decide>): EndpointSlice[] {
  const gone = new Set(actions.remove.map(({ metadata }) => metadata.name))
  const changed = new Map(actions.update.map(slice => [slice.metadata.name, slice]))
  return [
    ...slices
      .filter(({ metadata }) => !gone.has(metadata.name))
      .map(slice => changed.get(slice.metadata.name) ?? slice),
    ...actions.create.map(stored),
  ]
}

const conditions: Record<string, [PodShape, Partial<Service['spec']>, object | undefined]> = {
  'a ready pod': [{}, {}, { ready: true, serving: true, terminating: false }],
  'a pod that is not ready': [{ ready: false }, {}, { ready: false, serving: false, terminating: false }],
  'a pod still in its init containers': [
    { ready: false, phase: 'Pending' },
    {},
    { ready: false, serving: false, terminating: false },
  ],
  'a pod that terminates and still serves': [
    { deleting: true },
    {},
    { ready: false, serving: true, terminating: true },
  ],
  'a pod that terminates and serves no more': [
    { deleting: true, ready: false },
    {},
    { ready: false, serving: false, terminating: true },
  ],
  'publishNotReadyAddresses makes everything ready': [
    { deleting: true, ready: false },
    { publishNotReadyAddresses: true },
    { ready: true, serving: false, terminating: true },
  ],
  'a pod without an address': [{ ip: '' }, {}, undefined],
  'a pod that failed': [{ phase: 'Failed' }, {}, undefined],
  'a pod that succeeded': [{ phase: 'Succeeded' }, {}, undefined],
}

for (const [title, [shape, spec, expected]] of Object.entries(conditions)) {
  test(`conditions: ${title}`, () => {
    const [slice] = decide(service(spec), [pod(shape)]).create
    assert.deepEqual(slice!.endpoints[0]?.conditions, expected)
  })
}

test('an endpoint says which pod it is, where it runs, and how it is called', () => {
  const spec = { hostname: 'db-0', subdomain: 'web' }
  const [slice] = decide(service(), [pod({ spec })]).create
  assert.deepEqual(slice!.endpoints, [
    {
      addresses: ['10.244.0.2'],
      conditions: { ready: true, serving: true, terminating: false },
      hostname: 'db-0',
      targetRef: { kind: 'Pod', namespace: 'default', name: 'a', uid: 'uid-a' },
      nodeName: 'n1',
      zone: 'zone-a',
    },
  ])
  assert.deepEqual(slice!.ports, [{ name: 'http', protocol: 'TCP', port: 8080 }])
})

test('labels are the Service’s and those that slices are found by', () => {
  const labels = { tier: 'front', 'kubernetes.io/service-name': 'x' }
  const [slice] = decide(service({ clusterIP: 'None' }, labels), [pod()]).create
  assert.deepEqual(slice!.metadata.labels, {
    tier: 'front',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    'service.kubernetes.io/headless': '',
  })
})

test('named ports are looked up in containers and sidecars; pods that differ go into slices of their own', () => {
  const named = (containerPort: number) => ({
    name: 'c',
    image: 'i',
    resources: {},
    ports: [{ name: 'web', containerPort, protocol: 'TCP' as const }],
  })
  const plain = { name: 'd', image: 'i', resources: {} }
  const actions = decide(service({ ports: [{ port: 80, targetPort: 'web', protocol: 'TCP' }] }), [
    pod({ name: 'a', spec: { containers: [named(81)] } }),
    pod({
      name: 'b',
      ip: '10.244.0.3',
      spec: { containers: [plain], initContainers: [{ ...named(82), restartPolicy: 'Always' }] },
    }),
    pod({ name: 'c', ip: '10.244.0.4', spec: { containers: [plain], initContainers: [named(83)] } }),
  ])
  const found = actions.create.map(({ ports, endpoints }) => [
    ports?.[0]?.port,
    endpoints.map(one => one.targetRef?.name),
  ])
  assert.deepEqual(found, [
    [81, ['a']],
    [82, ['b']],
    [undefined, ['c']],
  ])
})

test('a Service without endpoints has one empty slice, and the first pod fills it', () => {
  const first = after([], decide(service(), []))
  assert.deepEqual(
    first.map(({ endpoints, ports }) => [endpoints, ports]),
    [[[], []]],
  )
  assert.deepEqual(decide(service(), [], first), { create: [], update: [], remove: [], skipped: [] })
  const then = decide(service(), [pod()], first)
  assert.deepEqual([then.create.length, then.update.length, then.remove.length], [0, 1, 0])
})

test('a slice holds a hundred endpoints; a new pod changes one slice', () => {
  const slices = after([], decide(service(), pods(250)))
  assert.deepEqual(
    slices.map(({ endpoints }) => endpoints.length),
    [100, 100, 50],
  )
  const next = decide(service(), pods(251), slices)
  assert.deepEqual(
    [next.create.length, next.update.map(({ endpoints }) => endpoints.length), next.remove.length],
    [0, [51], 0],
  )
})

test('one pod that changes changes one slice', () => {
  const all = pods(250)
  const slices = after([], decide(service(), all))
  const { create, update, remove } = decide(
    service(),
    all.with(120, pod({ name: 'p120', ip: '10.244.0.122', ready: false })),
    slices,
  )
  assert.deepEqual([create.length, update.length, remove.length], [0, 1, 0])
  assert.equal(update[0]!.endpoints.filter(one => one.conditions.ready === false).length, 1)
})

test('slices of a Service that was made anew under the same name are replaced', () => {
  const slices = after([], decide(service(), [pod()]))
  const again = service()
  again.metadata.uid = 'other'
  const { create, update, remove } = decide(again, [pod()], slices)
  assert.deepEqual([create.length, update.length, remove.length], [1, 0, 1])
})

test('a pod on a node that is not known yet is left for later', () => {
  const actions = decide(service(), [pod({ node: 'n9' })])
  assert.deepEqual(
    actions.skipped.map(({ metadata }) => metadata.name),
    ['a'],
  )
  assert.deepEqual(actions.create[0]!.endpoints, [])
})

const distributions: Record<string, object | undefined> = {
  PreferClose: { forZones: [{ name: 'zone-a' }] },
  PreferSameZone: { forZones: [{ name: 'zone-a' }] },
  PreferSameNode: { forZones: [{ name: 'zone-a' }], forNodes: [{ name: 'n1' }] },
  '': undefined,
}

for (const [trafficDistribution, hints] of Object.entries(distributions)) {
  test(`hints for trafficDistribution ${trafficDistribution || 'unset'}`, () => {
    const [slice] = decide(service(trafficDistribution ? { trafficDistribution } : {}), [pod()]).create
    assert.deepEqual(slice!.endpoints[0]!.hints, hints)
  })
}

test('hints go when nobody asks for them any more', () => {
  const slices = after([], decide(service({ trafficDistribution: 'PreferClose' }), [pod()]))
  const { update } = decide(service(), [pod()], slices)
  assert.equal(update[0]!.endpoints[0]!.hints, undefined)
})

test('whatever comes and goes, slices show exactly the pods, each once, and stay small', () => {
  let seed = 7
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((seed / 2_147_483_648) * below)
  }
  const all = pods(60)
  let slices: EndpointSlice[] = []
  for (let round = 0; round < 200; round++) {
    const some = all
      .filter(() => random(3) > 0)
      .map(one =>
        random(4) === 0 ? pod({ name: one.metadata.name, ip: one.status.podIP!, ready: false }) : one,
      )
    const input = {
      service: service(),
      pods: some,
      slices,
      findNode: (name: string) => nodes.get(name),
      mostEndpoints: 10,
    }
    slices = after(slices, decideSlices(input))
    const shown = slices.flatMap(({ endpoints }) => endpoints)
    assert.deepEqual(
      shown.map(one => `${one.targetRef?.name} ${one.conditions.ready}`).toSorted(),
      some.map(one => `${one.metadata.name} ${one.status.conditions![0]!.status === 'True'}`).toSorted(),
    )
    assert.equal(new Set(shown.map(endpointKey)).size, shown.length)
    assert.ok(slices.every(({ endpoints }) => endpoints.length <= 10))
    const still = decideSlices({ ...input, slices })
    assert.deepEqual([still.create, still.update, still.remove], [[], [], []])
  }
})
