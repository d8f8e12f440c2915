// /etc/hosts of a pod's containers (section 12.2). Upstream: kubelet_pods.go managedHostsFileContent.
import type { HostAlias } from '../../api/types/core-v1.ts'
import type { PodHostname } from './pod-hostname.ts'

const HEAD = [
  '# Kubernetes-managed hosts file.',
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
]

export function managedHosts(
  podIPs: readonly string[],
  { hostname, domain }: PodHostname,
  aliases: readonly HostAlias[] = [],
): string {
  const names = domain ? `${hostname}.${domain}\t${hostname}` : hostname
  return `${[...HEAD, ...podIPs.map(ip => `${ip}\t${names}`)].join('\n')}\n${aliasLines(aliases)}`
}

/** Host network: the node's own file, with the aliases appended. */
export function hostNetworkHosts(nodeFile: string, aliases: readonly HostAlias[] = []): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeFile}${aliasLines(aliases)}`
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return ''
  const lines = aliases.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join('\t'))
  return `\n# Entries added by HostAliases.\n${lines.join('\n')}\n`
}
