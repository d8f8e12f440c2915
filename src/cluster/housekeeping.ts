// Starts the controllers that keep house: whatever is left over, out of date or to be filled in.

import { EventRecorder } from '../client/events/event-recorder.ts'
import { MutableCatalog, type ResourceCatalog } from '../client/resource-catalog.ts'
import { DeviceTaintEvictionController } from '../controllers/device-taint-eviction/device-taint-eviction-controller.ts'
import { DisruptionController } from '../controllers/disruption/disruption-controller.ts'
import { runGarbageCollector } from '../controllers/garbage-collector/garbage-collector.ts'
import { runNamespaceController } from '../controllers/namespace/namespace-controller.ts'
import { NodeLifecycleController } from '../controllers/node-lifecycle/node-lifecycle-controller.ts'
import { PodGcController } from '../controllers/pod-gc/pod-gc-controller.ts'
import { ResourceClaimController } from '../controllers/resource-claim/resource-claim-controller.ts'
import { ResourceQuotaController } from '../controllers/resource-quota/resource-quota-controller.ts'
import { TaintEvictionController } from '../controllers/taint-eviction/taint-eviction-controller.ts'
import { runTtlAfterFinishedController } from '../controllers/ttl-after-finished/ttl-after-finished-controller.ts'
import type { RunningApiServer } from './api-server.ts'
import { type ClusterParts, keepRunning } from './parts.ts'

export function startHousekeeping(
  api: RunningApiServer,
  parts: ClusterParts,
  catalog: ResourceCatalog = new MutableCatalog(),
): void {
  const { clock, log } = parts
  const contextOf = (account: string) => ({ client: api.controllerClient(account), clock, log, catalog })
  keepRunning(parts, signal => runNamespaceController(contextOf('namespace-controller'), signal))
  keepRunning(parts, signal =>
    runTtlAfterFinishedController(contextOf('ttl-after-finished-controller'), signal),
  )
  const controllers = [
    new DisruptionController(contextOf('disruption-controller')),
    new PodGcController(contextOf('pod-garbage-collector')),
    new ResourceQuotaController(contextOf('resourcequota-controller')),
    new ResourceClaimController(contextOf('resource-claim-controller')),
    new DeviceTaintEvictionController(contextOf('device-taint-eviction-controller')),
    new NodeLifecycleController(contextOf('node-controller')),
    // Upstream too gives it the node controller's account.
    new TaintEvictionController(contextOf('node-controller')),
  ]
  for (const controller of controllers) keepRunning(parts, signal => controller.run(signal))
  const collector = contextOf('generic-garbage-collector')
  const recorder = new EventRecorder({ ...collector, component: 'garbage-collector-controller' })
  keepRunning(parts, signal => runGarbageCollector({ ...collector, recorder }, signal))
}
