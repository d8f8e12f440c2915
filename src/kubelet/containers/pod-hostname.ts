// The pod's hostname and domain. Upstream: kubelet_pods.go GeneratePodHostNameAndDomain.
import type { Pod } from '../../api/types/core-v1.ts'

export interface PodHostname {
  hostname: string
  /** 'subdomain.ns.svc.cluster.local'; '' without subdomain. */
  domain: string
}

const MAX_HOSTNAME = 63

/** `nodeName` is what host-network pods are called. */
export function podHostname({ metadata, spec }: Pod, nodeName: string, clusterDomain: string): PodHostname {
  if (spec.hostnameOverride) return { hostname: spec.hostnameOverride, domain: '' }
  if (spec.hostNetwork) return { hostname: nodeName, domain: '' }
  const hostname = spec.hostname || metadata.name.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '')
  const domain = spec.subdomain ? `${spec.subdomain}.${metadata.namespace}.svc.${clusterDomain}` : ''
  return { hostname, domain }
}

/** What the kernel is told: with setHostnameAsFQDN the whole name. */
export function kernelHostname(pod: Pod, { hostname, domain }: PodHostname): string {
  if (!pod.spec.setHostnameAsFQDN || !domain) return hostname
  const whole = `${hostname}.${domain}`
  if (whole.length > 64) {
    throw new Error(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${whole} is too long (64 characters is the max, ${whole.length} characters requested)`,
    )
  }
  return whole
}
