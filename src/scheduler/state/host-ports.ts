// Host ports that Pods take on their node.
import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Pod } from '../../api/types/core-v1.ts'

export interface PortUse {
  protocol: string
  hostIP: string
  hostPort: number
}

const NONE: readonly PortUse[] = []
const cache = new WeakMap<Pod, readonly PortUse[]>()

/** Host ports of app containers and sidecars. Upstream: util.GetHostPorts. */
export function hostPortsOf(pod: Pod): readonly PortUse[] {
  const known = cache.get(pod)
  if (known) return known
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar)
  const found = [...pod.spec.containers, ...sidecars]
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort }) => hostPort)
    .map(({ protocol, hostIP, hostPort }) => ({
      protocol: protocol || 'TCP',
      hostIP: hostIP || '0.0.0.0',
      hostPort: hostPort!,
    }))
  const uses = found.length > 0 ? found : NONE
  cache.set(pod, uses)
  return uses
}

/** The same port of the same protocol clashes when either side takes every address or both take the same one. */
export function portsClash(a: PortUse, b: PortUse): boolean {
  if (a.hostPort !== b.hostPort || a.protocol !== b.protocol) return false
  return a.hostIP === b.hostIP || a.hostIP === '0.0.0.0' || b.hostIP === '0.0.0.0'
}
