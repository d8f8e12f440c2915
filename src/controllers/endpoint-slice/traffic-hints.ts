// Hints by which proxies keep traffic near, from a Service's trafficDistribution. Pure.
// Upstream: endpointslice/trafficdist/trafficdist.go.
import { isDeepStrictEqual } from 'node:util'
import type { Service } from '../../api/types/core-v1.ts'
import type { Endpoint, EndpointHints, EndpointSlice } from '../../api/types/discovery-v1.ts'
import type { SliceActions } from './slice-actions.ts'

type Distribution = 'anywhere' | 'zone' | 'node'

const DISTRIBUTIONS: Record<string, Distribution> = {
  PreferClose: 'zone',
  PreferSameZone: 'zone',
  PreferSameNode: 'node',
}

/** Hints in what is made and changed; slices that would stay as they are change when their hints are wrong. */
export function withHints(
  { spec }: Service,
  actions: SliceActions,
  present: readonly EndpointSlice[],
): SliceActions {
  const distribution = DISTRIBUTIONS[spec.trafficDistribution ?? ''] ?? 'anywhere'
  const hint = <T extends { endpoints: Endpoint[] }>(slice: T): T => ({
    ...slice,
    endpoints: slice.endpoints.map(endpoint => hinted(endpoint, distribution)),
  })
  const touched = new Set([...actions.update, ...actions.remove].map(({ metadata }) => metadata.name))
  const wrong = present.filter(
    slice =>
      !touched.has(slice.metadata.name) &&
      (slice.endpoints ?? []).some(
        endpoint => !isDeepStrictEqual(hinted(endpoint, distribution).hints, endpoint.hints),
      ),
  )
  return { ...actions, create: actions.create.map(hint), update: [...actions.update, ...wrong].map(hint) }
}

/** Endpoints that are not ready keep what they have while hints are wanted at all. */
function hinted(endpoint: Endpoint, distribution: Distribution): Endpoint {
  if (distribution !== 'anywhere' && endpoint.conditions?.ready !== true) return endpoint
  const { hints: _, ...plain } = endpoint
  const hints = hintsOf(endpoint, distribution)
  return hints ? { ...plain, hints } : plain
}

function hintsOf({ zone, nodeName }: Endpoint, distribution: Distribution): EndpointHints | undefined {
  if (distribution === 'anywhere') return undefined
  const hints = {
    ...(zone !== undefined && { forZones: [{ name: zone }] }),
    ...(nodeName !== undefined && distribution === 'node' && { forNodes: [{ name: nodeName }] }),
  }
  return Object.keys(hints).length > 0 ? hints : undefined
}
