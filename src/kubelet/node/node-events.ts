// What a change of the node's status is told as. Pure. Upstream: nodestatus/setters.go, kubelet_node_status.go.
import type { NodeStatus, ObjectReference } from '../../api/types/core-v1.ts'

export interface NodeEvent {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

/** How events refer to the node: upstream gives its name for its uid, and kubectl describe looks for that. */
export const nodeReference = (name: string): ObjectReference => ({ kind: 'Node', name, uid: name })

const REASONS: Record<string, { True: string; False: string }> = {
  MemoryPressure: { True: 'NodeHasInsufficientMemory', False: 'NodeHasSufficientMemory' },
  DiskPressure: { True: 'NodeHasDiskPressure', False: 'NodeHasNoDiskPressure' },
  PIDPressure: { True: 'NodeHasInsufficientPID', False: 'NodeHasSufficientPID' },
  Ready: { True: 'NodeReady', False: 'NodeNotReady' },
}

/** `before` undefined: the node is new. */
export function nodeEvents(nodeName: string, before: NodeStatus | undefined, after: NodeStatus): NodeEvent[] {
  const events: NodeEvent[] = []
  const [oldBoot, boot] = [before?.nodeInfo?.bootID, after.nodeInfo?.bootID]
  if (oldBoot && boot && oldBoot !== boot) {
    const message = `Node ${nodeName} has been rebooted, boot id: ${boot}`
    events.push({ type: 'Warning', reason: 'Rebooted', message })
  }
  for (const { type, status } of after.conditions ?? []) {
    const old = before?.conditions?.find(one => one.type === type)?.status
    const reason = REASONS[type]?.[status as 'True' | 'False']
    if (!reason || old === status) continue
    events.push({ type: 'Normal', reason, message: `Node ${nodeName} status is now: ${reason}` })
  }
  return events
}
