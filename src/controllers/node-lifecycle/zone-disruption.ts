// How fast Nodes of a zone may be tainted with NoExecute, so that a fault of the network does not empty a cluster.
// Pure. Upstream: ComputeZoneState, handleDisruption, setLimiterInZone.
import type { Node } from '../../api/types/core-v1.ts'
import { readyStatus } from './node-health.ts'

/** Upstream: --node-eviction-rate, --secondary-node-eviction-rate, --unhealthy-zone-threshold, --large-cluster-size-threshold. */
const EVERY_MS = 10_000
const SLOWLY_EVERY_MS = 100_000
const UNHEALTHY_PART = 0.55
const LARGE_ZONE = 50

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption'

/** 'region:zone'; nodes without both labels share the zone ''. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  const region = labels['topology.kubernetes.io/region'] ?? ''
  const zone = labels['topology.kubernetes.io/zone'] ?? ''
  return region || zone ? `${region}:\0:${zone}` : ''
}

export function zoneState(nodes: readonly Node[]): ZoneState {
  const notReady = nodes.filter(node => readyStatus(node) !== 'True').length
  if (notReady > 0 && notReady === nodes.length) return 'FullDisruption'
  return notReady > 2 && notReady / nodes.length >= UNHEALTHY_PART ? 'PartialDisruption' : 'Normal'
}

/** Milliseconds between two taintings of Nodes in the zone; undefined: none at all. */
export function taintEveryMs(state: ZoneState, size: number): number | undefined {
  if (state !== 'PartialDisruption') return EVERY_MS
  return size > LARGE_ZONE ? SLOWLY_EVERY_MS : undefined
}

/** Every zone is down: the fault is more likely on this side. */
export function allDown(nodes: readonly Node[]): boolean {
  const zones = Map.groupBy(nodes, zoneOf)
  return nodes.length > 0 && [...zones.values()].every(zone => zoneState(zone) === 'FullDisruption')
}
