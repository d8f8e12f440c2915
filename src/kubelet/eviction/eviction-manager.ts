// Looks every ten seconds at what the node has left and at what pods with limits on local storage use, and ends the
// pods that judge.ts and storage-limits.ts name. Upstream: pkg/kubelet/eviction/eviction_manager.go.
import { join } from 'node:path'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import { diskUsage } from '../../base/disk-usage.ts'
import type { Log } from '../../base/log.ts'
import type { ContainerStats, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { NodePressures } from '../node/node-conditions.ts'
import type { NodeFacts } from '../node-facts.ts'
import { podLogDir, volumePath } from '../pod-paths.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import { choosePod, type Eviction, type Judgement, judge, nothingSeen } from './judge.ts'
import type { PodUsage } from './pod-usage.ts'
import { exceededLimit, hasStorageLimit } from './storage-limits.ts'
import { isMet, type Observations, type Threshold } from './threshold.ts'

const EVERY_MS = 10_000
/** Another pod is not judged before the evicted one is gone, or this long. Upstream: podCleanupTimeout. */
const CLEANUP_MS = 30_000
const LIMIT_GRACE_SECONDS = 1

export interface EvictionParts {
  runtime: Pick<RuntimeService, 'listContainerStats'>
  facts: Pick<NodeFacts, 'rootDir' | 'logDir'>
  thresholds: readonly Threshold[]
  /** The longest grace of a pod that a soft threshold ends. */
  softGraceSeconds: number
  /** evictionPressureTransitionPeriod */
  transitionMs: number
  observe: () => Observations
  /** Pods that have not ended. */
  pods: () => readonly Pod[]
  /** Resolves when nothing of the pod runs any more. */
  evict: (eviction: Eviction, signal: AbortSignal) => Promise<void>
  /** Frees disk by removing what no pod needs: dead containers, unused images. */
  reclaimDisk: () => Promise<void>
  /** The pressures have changed. */
  changed: (pressures: NodePressures) => void
  clock: Clock
  log: Log
}

export class EvictionManager {
  readonly #parts: EvictionParts
  #state = nothingSeen
  #pressures: NodePressures

  constructor(parts: EvictionParts) {
    this.#parts = parts
    this.#pressures = this.#judge(parts.observe()).pressures
  }

  get pressures(): NodePressures {
    return this.#pressures
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts
    while (!signal.aborted) {
      await clock.sleep(EVERY_MS, signal).catch(() => {})
      if (signal.aborted) return
      await this.look(signal).catch(error => {
        if (!signal.aborted) log.warn({ error }, 'the node could not be checked for pressure; trying again')
      })
    }
  }

  /** One look at node and pods. Resolves when what it ended is gone. */
  async look(signal: AbortSignal): Promise<void> {
    await this.#endThoseBeyondTheirLimits(signal)
    const { observe, reclaimDisk, pods, softGraceSeconds } = this.#parts
    const observations = observe()
    const { state, pressures, starved } = this.#judge(observations)
    this.#state = state
    this.#show(pressures)
    if (!starved) return
    if (starved.signal.includes('fs.')) {
      await reclaimDisk()
      if (!isMet(starved, observe())) return
    }
    const eviction = choosePod(starved, observations, await this.#usages(pods()), softGraceSeconds)
    if (eviction) await this.#evict(eviction, signal)
    else
      this.#parts.log.warn(
        { signal: starved.signal },
        'the node is low on a resource and no pod may be evicted',
      )
  }

  #judge(observations: Observations): Judgement {
    const { thresholds, transitionMs, clock } = this.#parts
    return judge(thresholds, observations, this.#state, clock.now(), transitionMs)
  }

  #show(pressures: NodePressures): void {
    const same = (Object.keys(pressures) as (keyof NodePressures)[]).every(
      name => pressures[name] === this.#pressures[name],
    )
    this.#pressures = pressures
    if (!same) this.#parts.changed(pressures)
  }

  async #endThoseBeyondTheirLimits(signal: AbortSignal): Promise<void> {
    const limited = this.#parts.pods().filter(hasStorageLimit)
    if (limited.length === 0) return
    for (const usage of await this.#usages(limited)) {
      const message = exceededLimit(usage)
      if (message) await this.#evict({ pod: usage.pod, message, graceSeconds: LIMIT_GRACE_SECONDS }, signal)
    }
  }

  async #evict(eviction: Eviction, signal: AbortSignal): Promise<void> {
    const { clock, evict } = this.#parts
    const waiting = new AbortController()
    const timeUp = clock.sleep(CLEANUP_MS, AbortSignal.any([signal, waiting.signal])).catch(() => {})
    await Promise.race([evict(eviction, signal), timeUp])
    waiting.abort()
  }

  async #usages(pods: readonly Pod[]): Promise<PodUsage[]> {
    const { stats } = await this.#parts.runtime.listContainerStats({})
    const byPod = Map.groupBy(stats, ({ attributes }) => attributes.labels[LABEL.podUid] ?? '')
    return Promise.all(pods.map(pod => this.#usage(pod, byPod.get(pod.metadata.uid) ?? [])))
  }

  async #usage(pod: Pod, stats: readonly ContainerStats[]): Promise<PodUsage> {
    const { facts } = this.#parts
    const containers = stats.map(async ({ attributes, memory, writableLayer }) => {
      const name = attributes.labels[LABEL.containerName] ?? attributes.metadata.name
      return {
        name,
        memory: memory?.workingSetBytes?.value ?? 0,
        rootfs: writableLayer?.usedBytes?.value ?? 0,
        logs: await diskUsage(join(podLogDir(facts, pod), name)),
      }
    })
    const emptyDirs = (pod.spec.volumes ?? [])
      .filter(({ emptyDir }) => emptyDir && emptyDir.medium !== 'Memory')
      .map(async ({ name }) => {
        return [name, await diskUsage(volumePath(facts, pod.metadata.uid, 'empty-dir', name))] as const
      })
    return {
      pod,
      priority: pod.spec.priority ?? 0,
      containers: await Promise.all(containers),
      emptyDirs: Object.fromEntries(await Promise.all(emptyDirs)),
    }
  }
}
