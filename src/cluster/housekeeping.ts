// Starts the controllers that keep house: whatever is left over, out of date or to be filled in.

import { EventRecorder } from '../client/events/event-recorder.ts'
import { MutableCatalog, type ResourceCatalog } from '../client/resource-catalog.ts'
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
  const identity = { name: 'system:kube-controller-manager', groups: [] }
  const client = api.clientOf(identity, 'kube-controller-manager')
  const context = { client, clock, log, catalog }
  const recorder = (component: string) => new EventRecorder({ client, component, clock, log })
  keepRunning(parts, signal => runNamespaceController(context, signal))
  keepRunning(parts, signal =>
    runGarbageCollector({ ...context, recorder: recorder('garbage-collector-controller') }, signal),
  )
}
