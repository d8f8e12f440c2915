// A pod's resolv.conf as CRI DNSConfig (section 12.2). Upstream: kubelet/network/dns/dns.go.
import type { Pod, PodDNSConfig } from '../../api/types/core-v1.ts'
import type { DNSConfig } from '../../runtime/cri/cri.generated.ts'

export interface DnsFacts {
  clusterDns: readonly string[]
  clusterDomain: string
  /** Content of the node's resolv.conf. */
  resolvConf: string
}

/** glibc reads at most these many. */
const MAX_SERVERS = 3
const MAX_SEARCHES = 32

export function podDns({ metadata, spec }: Pod, facts: DnsFacts): Required<DNSConfig> {
  const host = parseResolvConf(facts.resolvConf)
  const base = basis(policyOf(spec), metadata.namespace ?? '', facts, host)
  const merged = spec.dnsConfig ? merge(base, spec.dnsConfig) : base
  return {
    servers: unique(merged.servers).slice(0, MAX_SERVERS),
    searches: unique(merged.searches).slice(0, MAX_SEARCHES),
    options: merged.options,
  }
}

function policyOf({ dnsPolicy = 'ClusterFirst', hostNetwork }: Pod['spec']): 'cluster' | 'host' | 'none' {
  if (dnsPolicy === 'None') return 'none'
  if (dnsPolicy === 'Default' || (dnsPolicy === 'ClusterFirst' && hostNetwork)) return 'host'
  return 'cluster'
}

function basis(
  policy: 'cluster' | 'host' | 'none',
  namespace: string,
  { clusterDns, clusterDomain }: DnsFacts,
  host: Required<DNSConfig>,
): Required<DNSConfig> {
  if (policy === 'none') return { servers: [], searches: [], options: [] }
  if (policy === 'host' || clusterDns.length === 0) return host
  const own = [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
  return { servers: [...clusterDns], searches: [...own, ...host.searches], options: ['ndots:5'] }
}

/** The pod's options replace those of the same name. */
function merge(base: Required<DNSConfig>, { nameservers = [], searches = [], options = [] }: PodDNSConfig) {
  const nameOf = (option: string) => option.split(':')[0]!
  const own = options.map(({ name = '', value }) => (value ? `${name}:${value}` : name))
  const kept = base.options.filter(option => !own.some(other => nameOf(other) === nameOf(option)))
  return {
    servers: [...base.servers, ...nameservers],
    searches: [...base.searches, ...searches],
    options: [...kept, ...own],
  }
}

export function parseResolvConf(text: string): Required<DNSConfig> {
  const config: Required<DNSConfig> = { servers: [], searches: [], options: [] }
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'nameserver' && values[0]) config.servers.push(values[0])
    if (keyword === 'search')
      config.searches = values.map(value => (value === '.' ? value : value.replace(/\.$/, '')))
    if (keyword === 'options') config.options.push(...values)
  }
  return config
}

const unique = (list: readonly string[]) => [...new Set(list)]
