import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import type { Pod } from '../../api/types/core-v1.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import type { ContainerStats } from '../../runtime/cri/cri.generated.ts'
import type { NodePressures } from '../node/node-conditions.ts'
import { volumePath } from '../pod-paths.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import { fine, GI, hard, low, MI, TRANSITION_MS, withDir } from '../testing/eviction.fixture.ts'
import { podOf, spec } from '../testing/pods.fixture.ts'
import { EvictionManager } from './eviction-manager.ts'
import type { Eviction } from './judge.ts'
import { measurePods } from './measure-pods.ts'
import type { Observations } from './threshold.ts'

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
