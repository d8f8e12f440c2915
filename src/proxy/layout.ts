// The proxy's nft table: its maps, and the few rules that look into them. Everything that depends on a Service is an
// element of a map (elements.ts), so that rules never change; only chains per number of endpoints and per affinity
// timeout are added as they are first needed. Names of maps are those of elements.ts. Where ranges are compared the
// protocol is the header's (`ip protocol`): for `meta l4proto` nft 1.0.6 writes there what Linux since 6.12.117 refuses.

export interface LayoutFacts {
  table: string
  podCidr: string
  serviceCidr: string
  /** The interface that pods are behind. */
  bridge: string
}

/** Changes whenever the text below does, so that a table of another version is not taken over. */
export const LAYOUT = 'layout-2'

/** Numbers of endpoints that have a chain from the start. */
export const READY_PICKS = 16

export const pickChain = (endpoints: number): string => `pick-${endpoints}`
export const pickNodeChain = (endpoints: number): string => `pick-node-${endpoints}`
export const keepChain = (seconds: number): string => `keep-${seconds}`

const PROTOCOLS = ['tcp', 'udp', 'sctp']
/** nft must know the protocol before it can say what an original port is. */
const original = (rule: (port: string) => string) =>
  PROTOCOLS.map(name => `ip protocol ${name} ${rule('meta l4proto . ct original proto-dst')}`).join('\n    ')

/**
 * Input for `nft -f`: replaces the table by an empty one, in one transaction, marked with version and fingerprint.
 * drop-strays: what a pod sends outside of any connection would not be translated back, and whoever gets it would reset
 * the connection that it seems to belong to. Upstream: KUBE-FORWARD's rule for invalid packets.
 */
export function layout({ table, podCidr, serviceCidr, bridge }: LayoutFacts, fingerprint: string): string {
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  map services { typeof ip daddr . meta l4proto . th dport : verdict; }
  map endpoints { typeof ip daddr . meta l4proto . th dport . numgen random mod 2 : ip daddr . th dport; }
  map node-ports { typeof meta l4proto . th dport : verdict; }
  map node-endpoints { typeof meta l4proto . th dport . numgen random mod 2 : ip daddr . th dport; }
  set cluster-ips { type ipv4_addr; }
  map refused { typeof ip daddr . meta l4proto . th dport : verdict; }
  map refused-node-ports { typeof meta l4proto . th dport : verdict; }
  map hidden { typeof ip daddr . meta l4proto . th dport : verdict; }
  map hidden-node-ports { typeof meta l4proto . th dport : verdict; }
  map keep { typeof ip daddr . meta l4proto . th dport : verdict; }
  map keep-node-ports { typeof meta l4proto . th dport : verdict; }
  set hairpin { type ipv4_addr . ipv4_addr; }
  set restricted { typeof ip daddr . meta l4proto . th dport; }
  set sources { typeof ip daddr . ip protocol . th dport . ip saddr; flags interval; }
  map affinity {
    typeof ip saddr . ip daddr . meta l4proto . th dport : ip daddr . th dport
    flags dynamic, timeout; timeout 3h
  }
  chain ${LAYOUT}-${fingerprint} { }
  chain refuse { reject; }
  chain discard { drop; }
  chain masquerade-all { masquerade fully-random; }
  chain masquerade-foreign { ip saddr != ${podCidr} masquerade fully-random; }
${Array.from({ length: READY_PICKS }, (_, index) => pick(index + 1)).join('')}
  chain protect {
    type filter hook prerouting priority raw; policy accept;
    iifname "${bridge}" ip daddr 127.0.0.0/8 drop
  }
  chain firewall {
    type filter hook prerouting priority -110; policy accept;
    ct state new ip daddr . meta l4proto . th dport @restricted ip daddr . ip protocol . th dport . ip saddr != @sources drop
  }
  chain serve {
    meta l4proto { tcp, udp, sctp } dnat ip to ip saddr . ip daddr . meta l4proto . th dport map @affinity
    ip daddr . meta l4proto . th dport vmap @services
    fib daddr type local meta l4proto . th dport vmap @node-ports
  }
  chain prerouting { type nat hook prerouting priority dstnat; policy accept; jump serve; }
  chain output { type nat hook output priority -100; policy accept; jump serve; }
  chain remember {
    ${original(port => `ct original ip daddr . ${port} vmap @keep`)}
    ${original(port => `${port} vmap @keep-node-ports`)}
  }
  chain remember-prerouting { type filter hook prerouting priority -90; policy accept; ct state new ct status dnat jump remember; }
  chain remember-output { type filter hook output priority -90; policy accept; ct state new ct status dnat jump remember; }
  chain check {
    ip daddr . meta l4proto . th dport vmap @refused
    fib daddr type local meta l4proto . th dport vmap @refused-node-ports
    ip daddr @cluster-ips reject
    ip daddr ${serviceCidr} drop
  }
  chain drop-strays { type filter hook forward priority filter; policy accept; ip saddr ${podCidr} ct state invalid drop; }
  chain check-input { type filter hook input priority filter; policy accept; ct state new jump check; }
  chain check-forward { type filter hook forward priority filter; policy accept; ct state new jump check; }
  chain check-output { type filter hook output priority filter; policy accept; ct state new jump check; }
  chain postrouting {
    type nat hook postrouting priority 99; policy accept;
    ct status and dnat == 0 return
    ip saddr . ip daddr @hairpin masquerade fully-random
    oifname != "lo" ip saddr 127.0.0.0/8 masquerade fully-random
    ${original(port => `ct original ip daddr . ${port} vmap @hidden`)}
    ${original(port => `${port} vmap @hidden-node-ports`)}
  }
}
`
}

function pick(count: number): string {
  const any = 'meta l4proto { tcp, udp, sctp } dnat ip to'
  const random = `numgen random mod ${count}`
  return `  chain ${pickChain(count)} { ${any} ip daddr . meta l4proto . th dport . ${random} map @endpoints; }
  chain ${pickNodeChain(count)} { ${any} meta l4proto . th dport . ${random} map @node-endpoints; }
`
}

/** Input for `nft -f`: chains that pick one of so many endpoints. */
export const addPicks = (table: string, counts: readonly number[]): string =>
  `table ip ${table} {\n${counts.map(pick).join('')}}\n`

/** Input for `nft -f`: chains that remember for so many seconds which endpoint a client was given. */
export const addKeeps = (table: string, timeouts: readonly number[]): string =>
  `table ip ${table} {\n${timeouts
    .map(
      seconds => `  chain ${keepChain(seconds)} {
    ${original(port => `update @affinity { ip saddr . ct original ip daddr . ${port} timeout ${seconds}s : ip daddr . th dport }`)}
  }\n`,
    )
    .join('')}}\n`
