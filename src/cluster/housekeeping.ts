// Starts the controllers that keep house: whatever is left over, out of date or to be filled in.

import { EventRecorder } from '../client/events/event-recorder.ts'
import { MutableCatalog, type ResourceCatalog } from '../client/resource-catalog.ts'
import { DisruptionController } from '../controllers/disruption/disruption-controller.ts'
import { runGarbageCollector } from '../controllers/garbage-collector/garbage-collector.ts'
import { runNamespaceController } from '../controllers/namespace/namespace-controller.ts'
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
  const disruption = new DisruptionController(contextOf('disruption-controller'))
  keepRunning(parts, signal => disruption.run(signal))
  const collector = contextOf('generic-garbage-collector')
  const recorder = new EventRecorder({ ...collector, component: 'garbage-collector-controller' })
  keepRunning(parts, signal => runGarbageCollector({ ...collector, recorder }, signal))
}
