// What keeps the node in shape beside its pods: eviction, images that nobody needs, logs that grow.
import { parseGoDuration } from '../api/duration.ts'
import type { Pod } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { ImageService, RuntimeService } from '../runtime/cri/cri.generated.ts'
import type { KubeletConfiguration } from './configuration/kubelet-configuration.ts'
import { evictionThresholds, imagePolicy, logLimits } from './configuration/settings.ts'
import { EvictionManager, type EvictionParts } from './eviction/eviction-manager.ts'
import { measurePods } from './eviction/measure-pods.ts'
import type { Observations } from './eviction/threshold.ts'
import { ImageCollector } from './images/image-collector.ts'
import { type LoggingContainer, LogRotation } from './logs/log-rotation.ts'
import type { NodePressures } from './node/node-conditions.ts'
import { nodeReference } from './node/node-events.ts'
import type { Recorder } from './pod-events.ts'

export interface NodeCareParts {
  runtime: RuntimeService & ImageService
  clock: Clock
  log: Log
  recorder: Recorder
  nodeName: string
  rootDir: string
  logDir: string
  configuration: KubeletConfiguration
  observe: () => Observations
  /** Images and containers' layers are on a disk of their own. */
  ownImageDisk: () => boolean
  /** Pods that have not ended. */
  pods: () => readonly Pod[]
  /** Containers that run. */
  containers: () => Iterable<LoggingContainer>
  evict: EvictionParts['evict']
  /** Removes the containers of pods that are over. */
  removeDead: () => Promise<void>
  pressuresChanged: (pressures: NodePressures) => void
}

export class NodeCare {
  readonly #evictions: EvictionManager
  readonly #images: ImageCollector
  readonly #logs: LogRotation

  constructor(parts: NodeCareParts) {
    const { runtime, clock, log, configuration, containers } = parts
    this.#images = makeImageCollector(parts)
    this.#evictions = makeEvictions(parts, this.#images)
    this.#logs = new LogRotation({ runtime, limits: logLimits(configuration), containers, clock, log })
  }

  get pressures(): NodePressures {
    return this.#evictions.pressures
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#evictions.run(signal), this.#images.run(signal), this.#logs.run(signal)])
  }
}

const warnAbout =
  ({ recorder, nodeName }: NodeCareParts) =>
  (reason: string, message: string) =>
    recorder.event(nodeReference(nodeName), 'Warning', reason, message)

function makeImageCollector(parts: NodeCareParts) {
  const { runtime, clock, log, configuration, observe } = parts
  return new ImageCollector({
    runtime,
    clock,
    log,
    policy: imagePolicy(configuration),
    disk: () => observe()['imagefs.available'],
    warn: warnAbout(parts),
  })
}

function makeEvictions(parts: NodeCareParts, images: ImageCollector): EvictionManager {
  const { runtime, clock, log, rootDir, logDir, configuration, observe, ownImageDisk, pods, evict } = parts
  const measured = { runtime, facts: { rootDir, logDir } }
  return new EvictionManager({
    clock,
    log,
    thresholds: evictionThresholds(configuration),
    ownImageDisk,
    measure: some => measurePods(some, measured),
    warn: warnAbout(parts),
    softGraceSeconds: configuration.evictionMaxPodGracePeriod ?? 0,
    transitionMs: parseGoDuration(configuration.evictionPressureTransitionPeriod ?? '5m')!,
    observe,
    pods,
    evict,
    reclaimDisk: async () => {
      await parts.removeDead()
      await images.removeUnused()
    },
    changed: parts.pressuresChanged,
  })
}
