import assert from 'node:assert/strict'
import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { nodes } from '../../api/resources.ts'
import type { Container, Pod, Volume } from '../../api/types/core-v1.ts'
import { diskUsage } from '../../base/disk-usage.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import type { ContainerStats } from '../../runtime/cri/cri.generated.ts'
import type { NodePressures } from '../node/node-conditions.ts'
import { volumePath } from '../pod-paths.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import { KubeletWorld } from '../testing/kubelet-world.fixture.ts'
import { podOf, spec } from '../testing/pods.fixture.ts'
import { EvictionManager } from './eviction-manager.ts'
import { choosePod, type Eviction, type EvictionState, judge as judgeWith, nothingSeen } from './judge.ts'
import { measurePods } from './measure-pods.ts'
import type { PodUsage } from './pod-usage.ts'
import { rankPods } from './rank-pods.ts'
import { exceededLimit } from './storage-limits.ts'
import { DEFAULT_HARD, type Observations, parseThresholds, type Threshold } from './threshold.ts'

const MI = 2 ** 20
const GI = 2 ** 30

const NONE = { bytes: 0, inodes: 0 }
const files = (bytes: number, inodes = 1) => ({ bytes, inodes })

const requesting = (memory?: string): Partial<Container> =>
  memory ? { resources: { requests: { memory } } } : {}

function usage(name: string, memory: number, more: Partial<PodUsage> & { request?: string } = {}): PodUsage {
  return {
    pod: podOf({ containers: [spec('app', requesting(more.request))] }, { name, uid: name }),
    priority: 0,
    containers: [{ name: 'app', memory, rootfs: NONE, logs: NONE }],
    emptyDirs: {},
    processes: 1,
    ...more,
  }
}

const TRANSITION_MS = 300_000
const judge = (...args: [Threshold[], Observations, EvictionState, number]) =>
  judgeWith(...args, TRANSITION_MS)

const hard = parseThresholds(DEFAULT_HARD)
const low: Observations = { 'memory.available': { available: 50 * MI, capacity: GI } }
const fine: Observations = { 'memory.available': { available: 500 * MI, capacity: GI } }

test('a hard threshold is acted on at once; the pressure shows for a while after it is over', () => {
  const first = judge(hard, low, nothingSeen, 1_000)
  assert.equal(first.starved?.signal, 'memory.available')
  assert.deepEqual(first.pressures, { memoryPressure: true, diskPressure: false, pidPressure: false })
  const second = judge(hard, fine, first.state, 2_000)
  assert.equal(second.starved, undefined)
  assert.equal(second.pressures.memoryPressure, true)
  const later = judge(hard, fine, second.state, 1_000 + TRANSITION_MS)
  assert.equal(later.pressures.memoryPressure, false)
})

test('a soft threshold must have been met without a break for its grace period', () => {
  const soft = parseThresholds({}, { 'memory.available': '1Gi' }, { 'memory.available': '1m' })
  const first = judge(soft, low, nothingSeen, 0)
  assert.equal(first.starved, undefined)
  assert.equal(first.pressures.memoryPressure, true)
  assert.equal(judge(soft, low, first.state, 60_000).starved?.signal, 'memory.available')
  const { metSince: _, ...seen } = first.state
  assert.equal(judge(soft, low, { ...seen, metSince: {} }, 60_000).starved, undefined)
})

test('memory is relieved before disks', () => {
  const both: Observations = { 'nodefs.available': { available: 1, capacity: GI }, ...low }
  assert.equal(judge(hard, both, nothingSeen, 0).starved?.signal, 'memory.available')
  assert.equal(judge(hard, both, nothingSeen, 0).pressures.diskPressure, true)
})

const orders: [string, PodUsage[], string[]][] = [
  [
    'those that use more than they asked for go first, whatever their priority',
    [
      usage('modest', 50 * MI, { request: '100Mi' }),
      usage('greedy', 50 * MI, { request: '10Mi', priority: 9 }),
    ],
    ['greedy', 'modest'],
  ],
  ['then those of least priority', [usage('a', 20 * MI, { priority: 5 }), usage('b', 10 * MI)], ['b', 'a']],
  ['then the largest', [usage('small', 10 * MI), usage('large', 20 * MI)], ['large', 'small']],
]

for (const [what, pods, expected] of orders) {
  test(`of pods to evict, ${what}`, () => {
    assert.deepEqual(
      rankPods(pods, 'memory.available', false).map(({ pod }) => pod.metadata.name),
      expected,
    )
  })
}

const RULES = { softGraceSeconds: 30, ownImageDisk: false }

test('a pod of which nothing is known goes first; inodes and processes have orders of their own', () => {
  const unknown = usage('unknown', 0, { containers: [], priority: 9 })
  const named = (list: PodUsage[]) => list.map(({ pod }) => pod.metadata.name)
  assert.deepEqual(named(rankPods([usage('known', MI), unknown], 'memory.available', false)), [
    'unknown',
    'known',
  ])
  const withFiles = (name: string, root: number, volumes: number) =>
    usage(name, 0, {
      containers: [{ name: 'app', memory: 0, rootfs: files(0, root), logs: NONE }],
      emptyDirs: { v: files(0, volumes) },
    })
  const pods = [withFiles('few', 1, 20), withFiles('many', 100, 2)]
  assert.deepEqual(named(rankPods(pods, 'nodefs.inodesFree', false)), ['many', 'few'])
  assert.deepEqual(named(rankPods(pods, 'nodefs.inodesFree', true)), ['few', 'many'])
  assert.deepEqual(named(rankPods(pods, 'imagefs.inodesFree', true)), ['many', 'few'])
  const forking = [
    usage('calm', 0, { processes: 1 }),
    usage('forks', 0, { processes: 50 }),
    usage('important', 0, { processes: 99, priority: 5 }),
  ]
  assert.deepEqual(named(rankPods(forking, 'pid.available', false)), ['forks', 'calm', 'important'])
})

test('what was acted on holds until its minimum is reclaimed too', () => {
  const [threshold] = parseThresholds({ 'memory.available': '100Mi' }, {}, {}, { 'memory.available': '50Mi' })
  const left = (mi: number): Observations => ({ 'memory.available': { available: mi * MI, capacity: GI } })
  const look = (mi: number, before: EvictionState) => judge([threshold!], left(mi), before, 0)
  assert.equal(look(120, nothingSeen).starved, undefined)
  const first = look(90, nothingSeen)
  assert.ok(first.starved)
  const second = look(120, first.state)
  assert.ok(second.starved)
  assert.equal(look(150, second.state).starved, undefined)
})

test('a soft threshold gives a pod its own grace at most', () => {
  const [soft] = parseThresholds({}, { 'memory.available': '1Gi' }, { 'memory.available': '1m' })
  const graceOf = (own: number) => {
    const one = usage('p', MI)
    one.pod.spec.terminationGracePeriodSeconds = own
    return choosePod(soft!, low, [one], RULES)?.graceSeconds
  }
  assert.deepEqual([graceOf(5), graceOf(60)], [5, 30])
})

test('thresholds of 0% and 100% are none, and percentages are told as amounts', () => {
  assert.deepEqual(parseThresholds({ 'nodefs.available': '0%', 'imagefs.available': '100%' }), [])
  const [share] = parseThresholds({ 'nodefs.inodesFree': '10%' })
  const inodes = { available: 2_000, capacity: 40_960 }
  const eviction = choosePod(share!, { 'nodefs.inodesFree': inodes }, [usage('p', 0)], RULES)
  assert.equal(
    eviction?.message,
    'The node was low on resource: inodes. Threshold quantity: 4Ki, available: 2k. ',
  )
})

test('the event’s annotations are for programs', () => {
  const eviction = choosePod(hard[0]!, low, [usage('greedy', 60 * MI, { request: '10Mi' })], RULES)
  assert.deepEqual(eviction?.annotations, {
    offending_containers: 'app',
    offending_containers_usage: '60Mi',
    starved_resource: 'memory',
  })
})

test('the message names resource, threshold and the containers that use more than they asked for', () => {
  const eviction = choosePod(hard[0]!, low, [usage('greedy', 60 * MI, { request: '10Mi' })], RULES)
  assert.deepEqual(eviction && { message: eviction.message, graceSeconds: eviction.graceSeconds }, {
    message:
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container app was using 60Mi, request is 10Mi, has larger consumption of memory. ',
    graceSeconds: 1,
  })
})

test('critical and static pods are spared', () => {
  const mirror = usage('mirror', GI)
  mirror.pod.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' }
  assert.equal(
    choosePod(hard[0]!, low, [usage('system', GI, { priority: 2_000_000_000 }), mirror], RULES),
    undefined,
  )
})

const disk = (volumes: Volume[], limits?: string, more: Partial<PodUsage> = {}): PodUsage => ({
  ...usage('p', 0),
  pod: podOf({
    containers: [spec('app', limits ? { resources: { limits: { 'ephemeral-storage': limits } } } : {})],
    volumes,
  }),
  ...more,
})

const limits: [string, PodUsage, string | undefined][] = [
  [
    'an emptyDir beyond its limit',
    disk([{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }], undefined, { emptyDirs: { v: files(2 * MI) } }),
    'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
  ],
  [
    'an emptyDir in memory, which cannot grow beyond it',
    disk([{ name: 'v', emptyDir: { sizeLimit: '1Mi', medium: 'Memory' } }], undefined, {
      emptyDirs: { v: files(2 * MI) },
    }),
    undefined,
  ],
  [
    'logs and layer beyond the limit of all containers',
    disk([], '1Mi', { containers: [{ name: 'app', memory: 0, rootfs: files(MI), logs: files(MI) }] }),
    'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
  ],
  [
    'what is within its limits',
    disk([], '1Mi', { containers: [{ name: 'app', memory: 0, rootfs: files(1), logs: files(1) }] }),
    undefined,
  ],
]

for (const [what, pod, message] of limits) {
  test(`${what}: ${message ?? 'nothing happens'}`, () => {
    assert.equal(exceededLimit(pod, false), message)
  })
}

async function withDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'eviction-'))
  try {
    await work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

test('a directory takes what its files take, those with several names once', () =>
  withDir(async dir => {
    const empty = await diskUsage(dir)
    writeFileSync(join(dir, 'a'), Buffer.alloc(MI, 1))
    linkSync(join(dir, 'a'), join(dir, 'b'))
    const used = (await diskUsage(dir)) - empty
    assert.ok(used >= MI && used < MI + 65_536, String(used))
    assert.equal(await diskUsage(join(dir, 'missing')), 0)
  }))

function manager(
  dir: string,
  pods: Pod[],
  stats: Partial<ContainerStats>[],
  observations: () => Observations,
) {
  const evicted: Eviction[] = []
  const shown: NodePressures[] = []
  const warnings: string[] = []
  let reclaimed = 0
  const made = new EvictionManager({
    measure: some =>
      measurePods(some, {
        runtime: {
          listContainerStats: async () => ({ stats: stats as ContainerStats[] }),
          listPodSandboxStats: async () => ({ stats: [] }),
        },
        facts: { rootDir: dir, logDir: join(dir, 'logs') },
      }),
    ownImageDisk: () => false,
    warn: (reason, message) => warnings.push(`${reason}: ${message}`),
    thresholds: hard,
    softGraceSeconds: 0,
    transitionMs: TRANSITION_MS,
    observe: observations,
    pods: () => pods,
    evict: async eviction => {
      evicted.push(eviction)
    },
    reclaimDisk: async () => {
      reclaimed++
    },
    changed: pressures => shown.push(pressures),
    clock: new ManualClock(0),
    log: silentLog,
  })
  return { made, evicted, shown, warnings, reclaimed: () => reclaimed }
}

const statsOf = (pod: Pod, bytes: number): Partial<ContainerStats> => ({
  attributes: {
    id: pod.metadata.uid,
    metadata: { name: 'app', attempt: 0 },
    labels: { [LABEL.podUid]: pod.metadata.uid, [LABEL.containerName]: 'app' },
    annotations: {},
  },
  memory: { timestamp: 0, workingSetBytes: { value: bytes } } as NonNullable<ContainerStats['memory']>,
})

test('under memory pressure one pod, the largest, is ended, and the pressure is shown', () =>
  withDir(async dir => {
    const pods = ['small', 'large'].map(uid => podOf({ containers: [spec('app')] }, { name: uid, uid }))
    const stats = pods.map((pod, index) => statsOf(pod, (index + 1) * MI))
    let now = fine
    const { made, evicted, shown } = manager(dir, pods, stats, () => now)
    await made.look(new AbortController().signal)
    assert.equal(evicted.length, 0)
    now = low
    await made.look(new AbortController().signal)
    assert.deepEqual(
      evicted.map(({ pod }) => pod.metadata.name),
      ['large'],
    )
    assert.deepEqual(
      shown.map(({ memoryPressure }) => memoryPressure),
      [true],
    )
  }))

test('a full disk is first cleared of what nobody needs', () =>
  withDir(async dir => {
    const full: Observations = { 'nodefs.available': { available: 1, capacity: GI } }
    const clear: Observations = { 'nodefs.available': { available: GI, capacity: GI } }
    const helpless = manager(dir, [podOf()], [], () => full)
    await helpless.made.look(new AbortController().signal)
    assert.deepEqual([helpless.reclaimed(), helpless.evicted.length], [1, 1])
    assert.deepEqual(helpless.warnings, ['EvictionThresholdMet: Attempting to reclaim ephemeral-storage'])
    let isClear = () => false
    const helped = manager(dir, [podOf()], [], () => (isClear() ? clear : full))
    isClear = () => helped.reclaimed() > 0
    await helped.made.look(new AbortController().signal)
    assert.deepEqual([helped.reclaimed(), helped.evicted.length], [1, 0])
  }))

test('a pod whose emptyDir has grown beyond its limit is ended', () =>
  withDir(async dir => {
    const pod = podOf({
      containers: [spec('app')],
      volumes: [{ name: 'v', emptyDir: { sizeLimit: '64Ki' } }],
    })
    const path = volumePath({ rootDir: dir }, pod.metadata.uid, 'empty-dir', 'v')
    await mkdir(path, { recursive: true })
    const { made, evicted } = manager(dir, [pod], [], () => fine)
    await made.look(new AbortController().signal)
    assert.equal(evicted.length, 0)
    writeFileSync(join(path, 'file'), Buffer.alloc(MI, 1))
    await made.look(new AbortController().signal)
    assert.deepEqual(
      evicted.map(({ message, disruption }) => [message, disruption]),
      [['Usage of EmptyDir volume "v" exceeds the limit "64Ki". ', false]],
    )
  }))

test('an evicted pod fails with the reason, is stopped, and its object stays', async () => {
  let now = fine
  const world = await KubeletWorld.create({ observe: () => now })
  try {
    await world.createPod('victim', {})
    await world.until('victim', pod => pod.status.phase === 'Running')
    now = low
    await world.clock.advance(10_000)
    const pod = await world.until('victim', one => one.status.phase === 'Failed')
    assert.equal(pod.status.reason, 'Evicted')
    assert.match(pod.status.message!, /^The node was low on resource: memory\. Threshold quantity: 100Mi/)
    const disruption = pod.status.conditions?.find(({ type }) => type === 'DisruptionTarget')
    assert.deepEqual([disruption?.status, disruption?.reason], ['True', 'TerminationByKubelet'])
    assert.deepEqual(world.cri.running(), [])
    assert.ok((await world.eventsOf('victim')).some(text => text.startsWith('Evicted: The node was low')))
    await world.untilTrue('the node shows the pressure', async () =>
      (await world.client.get(nodes, { name: 'node-1' })).status.conditions!.some(
        ({ type, status }) => type === 'MemoryPressure' && status === 'True',
      ),
    )
  } finally {
    await world.close()
  }
})

test('a full disk costs finished pods their containers and the node its unused images, before any pod', async () => {
  const disk = { 'imagefs.available': { available: GI, capacity: 2 * GI } }
  const world = await KubeletWorld.create({ observe: () => disk })
  try {
    world.cri.behaviours.set('app', () => 0)
    await world.createPod('done', { restartPolicy: 'Never' })
    await world.until('done', pod => pod.status.phase === 'Succeeded')
    await world.createPod('live', { containers: [{ ...spec('stays'), image: 'example/stays:1' }] })
    await world.until('live', pod => pod.status.phase === 'Running')
    // Images are looked at every five minutes, and one that is younger than two stays.
    await world.clock.advance(420_000)
    world.cri.images.add({ name: 'example/new:1' })
    disk['imagefs.available'] = { available: 1, capacity: 2 * GI }
    await world.clock.advance(10_000)
    await world.untilTrue('the image is removed', () => world.cri.calls.includes('removeImage example/app:1'))
    assert.deepEqual(
      [...world.cri.containers.values()].map(({ config }) => config.metadata.name),
      ['stays'],
    )
    assert.deepEqual(
      world.cri.calls.filter(call => call.startsWith('removeImage')),
      ['removeImage example/app:1'],
    )
    assert.equal((await world.pod('done')).status.containerStatuses?.[0]?.state.terminated?.exitCode, 0)
  } finally {
    await world.close()
  }
})
