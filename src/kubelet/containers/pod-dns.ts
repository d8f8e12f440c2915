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
/** Characters: of one search path (glibc 2.28 aborts on longer ones), and of all with the spaces between. */
const LONGEST_SEARCH = 253
const LONGEST_SEARCH_LINE = 2048

export function podDns({ metadata, spec }: Pod, facts: DnsFacts): Required<DNSConfig> {
  const wanted = wantedDns({ metadata, spec }, facts)
  return {
    servers: wanted.servers.slice(0, MAX_SERVERS),
    searches: fittingSearches(wanted.searches),
    options: wanted.options,
  }
}

/** What was left out because resolvers would not read it: texts for DNSConfigForming events. */
export function dnsProblems(pod: Pod, facts: DnsFacts): string[] {
  const [wanted, applied] = [wantedDns(pod, facts), podDns(pod, facts)]
  return [
    ...(applied.searches.length < wanted.searches.length
      ? [
          `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${applied.searches.join(' ')}`,
        ]
      : []),
    ...(applied.servers.length < wanted.servers.length
      ? [
          `Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${applied.servers.join(' ')}`,
        ]
      : []),
  ]
}

function wantedDns({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>, facts: DnsFacts): Required<DNSConfig> {
  const host = parseResolvConf(facts.resolvConf)
  const base = basis(policyOf(spec), metadata.namespace ?? '', facts, host)
  const { servers, searches, options } = spec.dnsConfig ? merge(base, spec.dnsConfig) : base
  return { servers: unique(servers), searches: unique(searches), options }
}

/** From the front as many as fit. Upstream: formDNSSearchFitsLimits. */
function fittingSearches(searches: readonly string[]): string[] {
  const fitting: string[] = []
  let length = -1
  for (const search of searches.slice(0, MAX_SEARCHES)) {
    if (search.length > LONGEST_SEARCH) continue
    length += 1 + search.length
    if (length > LONGEST_SEARCH_LINE) break
    fitting.push(search)
  }
  return fitting
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
