// The hands that workers share.

import type { Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { PodCgroups } from '../cgroups/pod-cgroups.ts'
import type { ClientObjectSource } from '../containers/object-source.ts'
import type { HookRunner } from '../hooks/hook-runner.ts'
import type { ImagePuller } from '../images/image-puller.ts'
import type { NodeFacts } from '../node-facts.ts'
import type { PodPlugins } from '../plugins/pod-plugins.ts'
import type { PodEvents } from '../pod-events.ts'
import type { Resizes } from '../resize/resizes.ts'
import type { RuntimeView } from '../runtime-view/runtime-view.ts'
import type { StatusWriter } from '../status/status-writer.ts'
import type { UserNamespaces } from '../user-namespaces/user-namespaces.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'
import type { BackOffLimits } from './crash-back-off.ts'
import type { ObservedPod, ProbeResults } from './observed-pod.ts'
import type { PreparedContainers } from './prepared-containers.ts'

/** The prober's seam: who probes learns of pods here and answers with results by container id. */
export interface Probes {
  results(uid: string): Readonly<Record<string, ProbeResults>>
  /** The worker has looked at the pod: start, keep or stop its probes. */
  observe(pod: Pod, observed: ObservedPod): void
  /** The pod is being stopped: liveness and startup probes end, readiness goes on. */
  stopping(uid: string): void
  forget(uid: string): void
}

export interface WorkerParts {
  runtime: RuntimeService
  view: RuntimeView
  images: ImagePuller
  prepared: PreparedContainers
  resizes: Resizes
  volumes: PodVolumes
  hooks: HookRunner
  cgroups: PodCgroups
  userNamespaces: UserNamespaces
  plugins: PodPlugins
  probes: Probes
  events: PodEvents
  statuses: StatusWriter
  client: Client
  source: ClientObjectSource
  facts: NodeFacts
  /** Scheme of container ids, as the runtime names itself. */
  runtimeName: string
  backOffLimits: BackOffLimits
  clock: Clock
  log: Log
}
