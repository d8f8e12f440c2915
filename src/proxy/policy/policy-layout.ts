// The nft table that keeps NetworkPolicies: which pods are isolated, and what they are allowed nevertheless. What a node
// itself sends its pods (probes, say) and what they send it (names to look up, calls to the API server) is let through.
// The protocol is the header's: see ../layout.ts.
import type { NftElement } from '../../base/netlink/nft-elements.ts'

export const POLICY_MAPS = [
  'isolated-in',
  'isolated-out',
  'in-any',
  'in-port',
  'out-any',
  'out-port',
] as const

export type PolicyMap = (typeof POLICY_MAPS)[number]
export type PolicyElement = NftElement<PolicyMap>

/** Changes whenever the text below does, so that a table of another version is not taken over. */
export const POLICY_LAYOUT = 'policies-2'

/** Input for `nft -f`: replaces the table by an empty one. In sets the isolated pod's address comes first. */
export const policyLayout = (table: string): string => `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  set isolated-in { type ipv4_addr; }
  set isolated-out { type ipv4_addr; }
  set in-any { typeof ip daddr . ip saddr; flags interval; }
  set in-port { typeof ip daddr . ip saddr . ip protocol . th dport; flags interval; }
  set out-any { typeof ip saddr . ip daddr; flags interval; }
  set out-port { typeof ip saddr . ip daddr . ip protocol . th dport; flags interval; }
  chain ${POLICY_LAYOUT} { }
  chain out {
    ip saddr . ip daddr @out-any return
    ip saddr . ip daddr . ip protocol . th dport @out-port return
    drop
  }
  chain in {
    ip daddr . ip saddr @in-any return
    ip daddr . ip saddr . ip protocol . th dport @in-port return
    drop
  }
  chain forward {
    type filter hook forward priority -5; policy accept;
    ct state established,related accept
    ip saddr @isolated-out jump out
    ip daddr @isolated-in jump in
  }
}
`
