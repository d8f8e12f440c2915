// Starts the scheduler and the controllers, each under its own identity.
import { hostname } from 'node:os'
import { EventsV1Recorder } from '../client/events/events-v1-recorder.ts'
import type { ControllerContext } from '../controllers/controller-context.ts'
import type { AutoscalerSettings } from '../controllers/horizontal-pod-autoscaler/autoscaler-settings.ts'
import { NodeIpamController } from '../controllers/node-ipam/node-ipam-controller.ts'
import { runRootCaController } from '../controllers/root-ca/root-ca-controller.ts'
import { runServiceAccountController } from '../controllers/service-account/service-account-controller.ts'
import { Scheduler } from '../scheduler/scheduler.ts'
import type { RunningApiServer } from './api-server.ts'
import { clusterPodCidr } from './cluster-facts.ts'
import { startElected } from './elected.ts'
import { startHousekeeping } from './housekeeping.ts'
import type { OptionalPart } from './left-out.ts'
import { type ClusterParts, keepRunning } from './parts.ts'
import { startSecurityControllers } from './security-controllers.ts'
import { startServiceControllers } from './service-controllers.ts'
import { startLocalVolumes, startStorageControllers } from './storage-controllers.ts'
import { startWorkloads } from './workloads.ts'

export interface ControlLoopOptions {
  leaderElect?: boolean
  without?: readonly OptionalPart[]
  autoscaling?: Partial<AutoscalerSettings>
}

export function startControlLoops(
  api: RunningApiServer,
  parts: ClusterParts,
  { leaderElect = false, without = [], autoscaling }: ControlLoopOptions = {},
): void {
  const start = leaderElect ? startElected : startAtOnce
  // Volumes that are directories of this node are its own matter: upstream's controller manager knows none.
  const startVolumes = (own: ClusterParts) => without.includes('kubelet') || startLocalVolumes(api, own)
  if (without.includes('controllers')) startVolumes(parts)
  else {
    start(api, parts, 'kube-controller-manager', own => {
      startControllers(api, own, autoscaling)
      startNodeIpam(api, own, without.includes('kubelet') ? [] : [own.facts.podCidr])
      startVolumes(own)
    })
  }
  if (!without.includes('scheduler')) start(api, parts, 'kube-scheduler', own => startScheduler(api, own))
}

const startAtOnce: typeof startElected = (_api, parts, _component, start) => start(parts)

function startControllers(
  api: RunningApiServer,
  parts: ClusterParts,
  autoscaling?: Partial<AutoscalerSettings>,
): void {
  const { clock, log } = parts
  const as = (account: string): ControllerContext => ({ client: api.controllerClient(account), clock, log })
  keepRunning(parts, signal => runServiceAccountController(as('service-account-controller'), signal))
  keepRunning(parts, signal =>
    runRootCaController(as('root-ca-cert-publisher'), api.authorityCertificate, signal),
  )
  startHousekeeping(api, parts, api.catalog)
  startServiceControllers(api, parts)
  startWorkloads(api, parts, autoscaling)
  startStorageControllers(api, parts)
  startSecurityControllers(api, parts)
}

/** The cluster's own node knows its range from the start. */
function startNodeIpam(api: RunningApiServer, parts: ClusterParts, reserved: readonly string[]): void {
  const { clock, log, facts } = parts
  const context = { client: api.controllerClient('node-controller'), clock, log }
  const ranges = { cluster: clusterPodCidr(facts), reserved }
  keepRunning(parts, signal => new NodeIpamController(context, ranges).run(signal))
}

function startScheduler(api: RunningApiServer, parts: ClusterParts): void {
  const { clock, log } = parts
  const client = api.clientOf({ name: 'system:kube-scheduler', groups: [] }, 'kube-scheduler')
  const reportingController = 'default-scheduler'
  const recorder = new EventsV1Recorder({ client, reportingController, hostname: hostname(), clock, log })
  keepRunning(parts, signal => recorder.run(signal))
  keepRunning(parts, signal => new Scheduler({ client, clock, log, recorder }).run(signal))
}
