// What a resize may become, as tables; and the life of a pod's grant.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node, Pod, ResourceRequirements } from '../../api/types/core-v1.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { PodEvents } from '../pod-events.ts'
import type { ObservedContainer, ObservedPod } from '../pod-worker/observed-pod.ts'
import { allocationOf, reportedAllocation, withAllocation } from './allocation.ts'
import { appliedAsResources } from './applied-as-resources.ts'
import type { AppliedResources } from './applied-resources.ts'
import { decideResize, grantedResources } from './decide-resize.ts'
import { compareWaiting, judgeResize, type Verdict, type Waiting } from './judge-resize.ts'
import { performResize } from './perform-resize.ts'
import { Resizes } from './resizes.ts'

type Wish = ResourceRequirements & { resizePolicy?: { resourceName: string; restartPolicy: string }[] }

const podOf = (
  wishes: Record<string, Wish>,
  more: { name?: string; generation?: number; status?: object; annotations?: object; priority?: number } = {},
) =>
  ({
    metadata: {
      name: more.name ?? 'p',
      namespace: 'default',
      uid: `uid-${more.name ?? 'p'}`,
      generation: more.generation ?? 1,
      annotations: more.annotations ?? {},
    },
    spec: {
      priority: more.priority ?? 0,
      containers: Object.entries(wishes).map(([name, { resizePolicy, ...resources }]) => ({
        name,
        resources,
        ...(resizePolicy && { resizePolicy }),
      })),
    },
    status: more.status ?? {},
  }) as unknown as Pod
const cpu = (amount: string): Wish => ({ requests: { cpu: amount } })
const nodeOf = (amount: string) =>
  ({
    metadata: { name: 'n' },
    status: { allocatable: { cpu: amount, memory: '1Gi', pods: '10' } },
  }) as unknown as Node

const judged: [title: string, pod: Pod, others: Pod[], expected: Verdict][] = [
  ['what is free is granted', podOf({ c: cpu('2') }), [podOf({ c: cpu('2') })], { verdict: 'granted' }],
  [
    'what others have must wait',
    podOf({ c: cpu('2') }),
    [podOf({ c: cpu('3') })],
    {
      verdict: 'Deferred',
      message: "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000",
    },
  ],
  [
    'more than the node has is never granted',
    podOf({ c: cpu('5') }),
    [],
    {
      verdict: 'Infeasible',
      message: "Node didn't have enough capacity: cpu, requested: 5000, capacity: 4000",
    },
  ],
  [
    'memory is named before cpu',
    podOf({ c: { requests: { cpu: '5', memory: '2Gi' } } }),
    [],
    {
      verdict: 'Infeasible',
      message: "Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824",
    },
  ],
  [
    'static pods are not resized',
    podOf({ c: cpu('1') }, { annotations: { 'kubernetes.io/config.source': 'file' } }),
    [],
    { verdict: 'Infeasible', message: 'In-place resize of static-pods is not supported' },
  ],
]
for (const [title, pod, others, expected] of judged)
  test(title, () => assert.deepEqual(judgeResize(pod, nodeOf('4'), others), expected))

test('waiting pods: the shrinking, the important, the guaranteed, the oldest', () => {
  const order: Waiting[] = [
    { shrinks: true, priority: 0, guaranteed: false, since: 9 },
    { shrinks: false, priority: 5, guaranteed: false, since: 9 },
    { shrinks: false, priority: 0, guaranteed: true, since: 9 },
    { shrinks: false, priority: 0, guaranteed: false, since: 1 },
    { shrinks: false, priority: 0, guaranteed: false, since: 2 },
  ]
  assert.deepEqual(order.toReversed().sort(compareWaiting), order)
})

const running = (
  name: string,
  resources?: Partial<AppliedResources>,
  state: ObservedContainer['state'] = 'running',
) =>
  ({
    id: `id-${name}`,
    name,
    state,
    ...(resources && { resources: { cpuShares: 2, cpuQuota: 0, memoryBytes: 0, ...resources } }),
  }) as ObservedContainer
const observe = (...containers: ObservedContainer[]) => ({ containers }) as unknown as ObservedPod
const MB = 1 << 20
const policy = (resourceName: string) => [{ resourceName, restartPolicy: 'RestartContainer' }]

const decided: [title: string, pod: Pod, observed: ObservedPod, update: string[], restart: string[]][] = [
  [
    'as granted, nothing is to do',
    podOf({ c: cpu('1') }),
    observe(running('c', { cpuShares: 1024 })),
    [],
    [],
  ],
  ['other shares are set', podOf({ c: cpu('2') }), observe(running('c', { cpuShares: 1024 })), ['c'], []],
  [
    'another quota is set',
    podOf({ c: { limits: { cpu: '1' }, requests: { cpu: '1' } } }),
    observe(running('c', { cpuShares: 1024, cpuQuota: 50_000 })),
    ['c'],
    [],
  ],
  [
    'a container that does not run is left alone',
    podOf({ c: cpu('2') }),
    observe(running('c', { cpuShares: 1024 }, 'exited')),
    [],
    [],
  ],
  ['a runtime that does not tell is believed', podOf({ c: cpu('2') }), observe(running('c')), [], []],
  [
    'a request of memory is no limit',
    podOf({ c: { requests: { memory: '1Mi' } } }),
    observe(running('c', {})),
    [],
    [],
  ],
  [
    'what shrinks comes first',
    podOf({ a: { limits: { memory: '4Mi' } }, b: { limits: { memory: '1Mi' } } }),
    observe(running('a', { memoryBytes: 2 * MB }), running('b', { memoryBytes: 2 * MB })),
    ['b', 'a'],
    [],
  ],
  [
    'memory that wants a restart',
    podOf({ c: { limits: { memory: '4Mi' }, resizePolicy: policy('memory') } }),
    observe(running('c', { memoryBytes: 2 * MB })),
    [],
    ['c'],
  ],
  [
    'a request of memory alone, where memory wants a restart',
    podOf({ c: { requests: { memory: '4Mi' }, limits: { memory: '8Mi' }, resizePolicy: policy('memory') } }),
    observe({ ...running('c', { memoryBytes: 8 * MB }), memoryRequest: '2Mi' }),
    [],
    ['c'],
  ],
  [
    'a request of memory alone changes nothing where no restart is wanted',
    podOf({ c: { requests: { memory: '4Mi' }, limits: { memory: '8Mi' } } }),
    observe({ ...running('c', { memoryBytes: 8 * MB }), memoryRequest: '2Mi' }),
    [],
    [],
  ],
  [
    'cpu does not, where only memory wants one',
    podOf({ c: { requests: { cpu: '2' }, resizePolicy: policy('memory') } }),
    observe(running('c', { cpuShares: 1024 })),
    ['c'],
    [],
  ],
]
for (const [title, pod, observed, update, restart] of decided) {
  test(title, () => {
    const decision = decideResize(pod, observed)
    assert.deepEqual(
      decision.update.map(({ name }) => name),
      update,
    )
    assert.deepEqual(
      decision.restart.map(({ name }) => name),
      restart,
    )
  })
}

test('what is applied is told in the API’s words', () => {
  const granted = { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '1', memory: '64Mi' } }
  const pod = podOf({ c: granted })
  const container = pod.spec.containers[0]!
  const shown = (resources: AppliedResources) =>
    appliedAsResources(pod, container, { state: 'running', resources }, granted)
  assert.deepEqual(shown(grantedResources(pod, container)), granted)
  assert.deepEqual(shown({ cpuShares: 512, cpuQuota: 50_000, memoryBytes: 32 * MB }), {
    limits: { cpu: '500m', memory: '32Mi' },
    requests: { cpu: '500m', memory: '64Mi' },
  })
})

test('a request of memory is told as before while its limit is not applied', () => {
  const granted = { limits: { memory: '10Ki' }, requests: { memory: '10Ki' } }
  const pod = podOf({ c: granted })
  const container = pod.spec.containers[0]!
  const before = { limits: { memory: '32Mi' }, requests: { memory: '30Mi' } }
  const shown = (memoryBytes: number) => {
    const resources = { cpuShares: 2, cpuQuota: 0, memoryBytes }
    return appliedAsResources(pod, container, { state: 'running', resources }, granted, before)
  }
  assert.deepEqual(shown(32 * MB), before)
  assert.deepEqual(shown(10 * 1024), granted)
})

test('after a restart of the kubelet the status tells what was granted', () => {
  const status = {
    startTime: 'x',
    containerStatuses: [
      { name: 'c', allocatedResources: { cpu: '1' }, resources: { requests: { cpu: '1' } } },
    ],
  }
  const pod = podOf({ c: cpu('2') }, { status })
  const seen = withAllocation(pod, reportedAllocation(pod))
  assert.deepEqual(seen.spec.containers[0]!.resources, { requests: { cpu: '1' } })
  assert.equal(withAllocation(pod, allocationOf(pod)), pod)
})

function world(nodeCpu = '4') {
  const told: string[] = []
  const changed: string[] = []
  const active = new Map<string, Pod>()
  const resizes = new Resizes({
    clock: new ManualClock(0),
    events: new PodEvents({
      event: (_, type, reason, message) => void told.push(`${type} ${reason} ${message}`),
    }),
    node: () => nodeOf(nodeCpu),
    active: () => [...active.values()],
    changed: pod => {
      changed.push(pod.metadata.name)
      active.set(pod.metadata.uid, pod)
    },
  })
  const see = (pod: Pod) => active.set(pod.metadata.uid, resizes.seen(pod)).get(pod.metadata.uid)!
  const update = (pod: Pod) => active.set(pod.metadata.uid, resizes.updated(pod)).get(pod.metadata.uid)!
  const leave = (pod: Pod) => {
    active.delete(pod.metadata.uid)
    resizes.forget(pod.metadata.uid)
  }
  return { resizes, told, changed, see, update, leave }
}
const cpuOf = (pod: Pod) => pod.spec.containers[0]!.resources!.requests!.cpu

test('a grant is told, carried out, told again', () => {
  const { resizes, told, see, update } = world()
  see(podOf({ c: cpu('1') }))
  const granted = update(podOf({ c: cpu('2') }, { generation: 2 }))
  assert.equal(cpuOf(granted), '2')
  assert.deepEqual(resizes.state('uid-p'), { inProgress: { generation: 2 } })
  resizes.failed('uid-p', 'no luck')
  resizes.failed('uid-p', 'no luck')
  assert.deepEqual(resizes.state('uid-p').inProgress, { generation: 2, error: 'no luck' })
  resizes.completed('uid-p')
  assert.deepEqual(resizes.state('uid-p'), {})
  const summary = '{"containers":[{"name":"c","resources":{"requests":{"cpu":"2"}}}],"generation":2'
  assert.deepEqual(told, [
    `Normal ResizeStarted Pod resize started: ${summary}}`,
    `Warning ResizeError Pod resize error: ${summary},"error":"no luck"}`,
    `Normal ResizeCompleted Pod resize completed: ${summary}}`,
  ])
})

test('a deferred pod keeps what it has, and gets more when another leaves', () => {
  const { resizes, told, changed, see, update, leave } = world()
  const other = podOf({ c: cpu('3') }, { name: 'other' })
  see(other)
  see(podOf({ c: cpu('1') }))
  assert.equal(cpuOf(update(podOf({ c: cpu('2') }, { generation: 2 }))), '1')
  assert.equal(resizes.state('uid-p').pending?.reason, 'Deferred')
  resizes.reconsider()
  assert.deepEqual([told.length, changed], [1, []])
  leave(other)
  assert.deepEqual(changed, ['p'])
  assert.deepEqual(resizes.state('uid-p'), { inProgress: { generation: 2 } })
})

test('of two that wait the more important one comes first', () => {
  const { resizes, see, update, leave } = world()
  const other = podOf({ c: cpu('2') }, { name: 'other' })
  see(other)
  for (const name of ['low', 'high']) see(podOf({ c: cpu('1') }, { name }))
  update(podOf({ c: cpu('3') }, { name: 'low', generation: 2 }))
  update(podOf({ c: cpu('3') }, { name: 'high', generation: 2, priority: 10 }))
  leave(other)
  assert.ok(resizes.state('uid-high').inProgress)
  assert.equal(resizes.state('uid-low').pending?.reason, 'Deferred')
})

test('a wish that is taken back is no longer waited for', () => {
  const { resizes, see, update } = world('1')
  see(podOf({ c: cpu('1') }))
  update(podOf({ c: cpu('2') }, { generation: 2 }))
  assert.equal(resizes.state('uid-p').pending?.reason, 'Infeasible')
  update(podOf({ c: cpu('1') }, { generation: 3 }))
  assert.deepEqual(resizes.state('uid-p'), {})
})

test('the pod’s cgroup grows first and shrinks last; a limit below the use is not tried', async () => {
  const steps: string[] = []
  const hands = (usage: number) => ({
    runtime: {
      updateContainerResources: async ({ containerId }: { containerId: string }) =>
        void steps.push(`update ${containerId}`) as never,
      containerStats: async () => ({ stats: { memory: { usageBytes: { value: usage } } } }) as never,
    },
    cgroups: {
      ensure: () => String(steps.push('ensure')),
      widen: () => void steps.push('widen'),
      remove: () => {},
      pathOf: () => '',
      uids: () => [],
    },
  })
  const pod = podOf({ c: { limits: { memory: '1Mi' } } })
  const { update } = decideResize(pod, observe(running('c', { memoryBytes: 2 * MB })))
  const signal = new AbortController().signal
  assert.equal(
    await performResize(pod, update, hands(MB), signal),
    'cannot decrease memory limits: attempting to set container "c" memory limit (1048576) below current usage (1048576)',
  )
  assert.deepEqual(steps, [])
  assert.equal(await performResize(pod, update, hands(1), signal), undefined)
  assert.deepEqual(steps, ['widen', 'update id-c', 'ensure'])
})
