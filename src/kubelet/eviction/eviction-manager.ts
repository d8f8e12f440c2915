// Looks every ten seconds at what the node has left and at what pods with limits on local storage use, and ends the
// pods that judge.ts and storage-limits.ts name. Upstream: pkg/kubelet/eviction/eviction_manager.go.
import type { Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { NodePressures } from '../node/node-conditions.ts'
import { choosePod, type Eviction, type Judgement, judge, nothingSeen, ofItsOwnFault } from './judge.ts'
import type { PodUsage } from './pod-usage.ts'
import { resourceOf } from './rank-pods.ts'
import { exceededLimit, hasStorageLimit } from './storage-limits.ts'
import { isMet, type Observations, type Threshold } from './threshold.ts'

const EVERY_MS = 10_000
/** Another pod is not judged before the evicted one is gone, or this long. Upstream: podCleanupTimeout. */
const CLEANUP_MS = 30_000

export interface EvictionParts {
  thresholds: readonly Threshold[]
  /** The longest grace of a pod that a soft threshold ends. */
  softGraceSeconds: number
  /** evictionPressureTransitionPeriod */
  transitionMs: number
  observe: () => Observations
  /** Images and containers' layers are on a disk of their own. */
  ownImageDisk: () => boolean
  /** Pods that have not ended. */
  pods: () => readonly Pod[]
  measure: (pods: readonly Pod[]) => Promise<PodUsage[]>
  /** Resolves when nothing of the pod is left but its records. */
  evict: (eviction: Eviction, signal: AbortSignal) => Promise<void>
  /** Frees disk by removing what no pod needs: dead containers, unused images. */
  reclaimDisk: () => Promise<void>
  /** A warning about the node, as an event. */
  warn: (reason: string, message: string) => void
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

  /** Looks again at once after it has ended a pod. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts
    while (!signal.aborted) {
      const ended = await this.look(signal).catch(error => {
        if (!signal.aborted) log.warn({ error }, 'the node could not be checked for pressure; trying again')
        return false
      })
      if (!ended) await clock.sleep(EVERY_MS, signal).catch(() => {})
    }
  }

  /** One look at node and pods. Resolves, when what it ended is gone, to whether it ended anything. */
  async look(signal: AbortSignal): Promise<boolean> {
    const observations = this.#parts.observe()
    const { state, pressures, starved } = this.#judge(observations)
    this.#state = state
    this.#show(pressures)
    if (await this.#endThoseBeyondTheirLimits(signal)) return true
    if (!starved) return false
    this.#parts.warn('EvictionThresholdMet', `Attempting to reclaim ${resourceOf(starved.signal)}`)
    if (await this.#reclaim(starved)) return false
    return this.#endOne(starved, observations, signal)
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

  async #endThoseBeyondTheirLimits(signal: AbortSignal): Promise<boolean> {
    const { pods, measure, ownImageDisk } = this.#parts
    const limited = pods().filter(hasStorageLimit)
    if (limited.length === 0) return false
    const guilty = (await measure(limited)).flatMap(usage => {
      const message = exceededLimit(usage, ownImageDisk())
      return message ? [ofItsOwnFault(usage.pod, message)] : []
    })
    await Promise.all(guilty.map(eviction => this.#evict(eviction, signal)))
    return guilty.length > 0
  }

  /** Whether no pod has to end: every threshold is left behind, and what is to be reclaimed beyond it. */
  async #reclaim({ signal }: Threshold): Promise<boolean> {
    const { thresholds, observe, reclaimDisk, ownImageDisk } = this.#parts
    // Nothing but logs and volumes is on a disk without images.
    const helps = signal.startsWith('imagefs') || (signal.startsWith('nodefs') && !ownImageDisk())
    if (!helps) return false
    await reclaimDisk()
    const after = observe()
    return thresholds.every(threshold => !isMet(threshold, after, true))
  }

  async #endOne(starved: Threshold, observations: Observations, signal: AbortSignal): Promise<boolean> {
    const { pods, measure, softGraceSeconds, ownImageDisk, log } = this.#parts
    const rules = { softGraceSeconds, ownImageDisk: ownImageDisk() }
    const eviction = choosePod(starved, observations, await measure(pods()), rules)
    if (eviction) await this.#evict(eviction, signal)
    else log.warn({ signal: starved.signal }, 'the node is low on a resource and no pod may be evicted')
    return eviction !== undefined
  }

  async #evict(eviction: Eviction, signal: AbortSignal): Promise<void> {
    const { clock, evict } = this.#parts
    const waiting = new AbortController()
    const timeUp = clock.sleep(CLEANUP_MS, AbortSignal.any([signal, waiting.signal])).catch(() => {})
    await Promise.race([evict(eviction, signal), timeUp])
    waiting.abort()
  }
}
