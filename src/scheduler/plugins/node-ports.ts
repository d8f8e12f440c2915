import { type Plugin, unschedulable } from '../framework.ts'
import { hostPortsOf, type PortUse, portsClash } from '../state/host-ports.ts'

/** A host port belongs to one Pod of the node. Upstream: nodeports. */
export const nodePorts: Plugin<readonly PortUse[]> = {
  name: 'NodePorts',
  prepare(pod) {
    const ports = hostPortsOf(pod)
    return ports.length > 0 ? { state: ports } : { skip: true }
  },
  filter(_pod, node, wanted) {
    if (!wanted.some(port => node.hasPort(port))) return undefined
    return unschedulable("node(s) didn't have free ports for the requested pod ports")
  },
  mayHelp(event, pod) {
    if (event.what === 'nodeAdded' || event.what === 'nominationOver') return true
    if (event.what !== 'assignedPodGone') return false
    const freed = hostPortsOf(event.pod)
    return hostPortsOf(pod).some(wanted => freed.some(port => portsClash(wanted, port)))
  },
}
