// Parts that run only while this process holds a Lease: of several processes over one store, one does the work.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { EventRecorder } from '../client/events/event-recorder.ts'
import { runAsLeader } from '../client/leader-election/leader-election.ts'
import type { RunningApiServer } from './api-server.ts'
import { type ClusterParts, keepRunning, type Undo } from './parts.ts'

/** `component` is the Lease's name, and 'system:COMPONENT' who holds it. Begins anew whenever leadership is lost. */
export function startElected(
  api: RunningApiServer,
  parts: ClusterParts,
  component: string,
  start: (own: ClusterParts) => void,
): void {
  const { clock, log } = parts
  const client = api.clientOf({ name: `system:${component}`, groups: [] }, component)
  const recorder = new EventRecorder({ client, component, clock, log })
  const identity = `${hostname()}_${randomUUID()}`
  const lease = { name: component, namespace: 'kube-system' }
  const lead = async (signal: AbortSignal) => {
    const undo: Undo[] = []
    start({ ...parts, onStop: back => undo.push(back) })
    await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    for (const back of undo.reverse()) await back()
  }
  keepRunning(parts, async signal => {
    while (!signal.aborted) await runAsLeader({ client, clock, log, lease, identity, recorder }, lead, signal)
  })
}
