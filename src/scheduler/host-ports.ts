import type { Pod } from '../api/types/core-v1.ts'

export interface PortUse {
  protocol: string
  hostIP: string
  hostPort: number
}

/** Host ports of app containers and sidecars. Upstream: util.GetHostPorts. */
export function hostPortsOf(pod: Pod): PortUse[] {
  const sidecars = (pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always')
  return [...pod.spec.containers, ...sidecars]
    .flatMap(({ ports }) => ports ?? [])
    .filter(({ hostPort }) => hostPort)
    .map(({ protocol, hostIP, hostPort }) => ({
      protocol: protocol ?? 'TCP',
      hostIP: hostIP || '0.0.0.0',
      hostPort: hostPort!,
    }))
}

/** The same port of the same protocol clashes when either side takes every address or both take the same one. */
export function portsClash(a: PortUse, b: PortUse): boolean {
  if (a.hostPort !== b.hostPort || a.protocol !== b.protocol) return false
  return a.hostIP === b.hostIP || a.hostIP === '0.0.0.0' || b.hostIP === '0.0.0.0'
}
