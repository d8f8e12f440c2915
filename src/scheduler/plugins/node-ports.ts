import { type Plugin, unschedulable } from '../framework.ts'
import { hostPortsOf, type PortUse } from '../host-ports.ts'

/** Upstream: nodeports. */
export const nodePorts: Plugin = {
  name: 'NodePorts',
  wakesOn: ['nodeAdded', 'podGone'],
  prepare: pod => ({ state: hostPortsOf(pod) }),
  filter(_pod, node, wanted) {
    if (!(wanted as PortUse[]).some(port => node.hasPort(port))) return undefined
    return unschedulable("node(s) didn't have free ports for the requested pod ports")
  },
}
