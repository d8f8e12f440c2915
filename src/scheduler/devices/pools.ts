// The pools whose devices can be reached from a node. A pool is the slices of one driver with the same pool name and the
// newest generation; it counts when as many of them are there as they say. Upstream: structured GatherPools.
import { matchesNodeSelectorTerm } from '../../api/pod/node-affinity.ts'
import type { Node, NodeSelector } from '../../api/types/core-v1.ts'
import type { CounterSet, Device, ResourceSlice } from '../../api/types/resource-v1.ts'

export interface Pool {
  /** 'driver/pool' */
  readonly id: string
  /** The driver is about to publish it, or to publish it anew. */
  readonly isIncomplete?: boolean
  /** Nothing can be taken from it: names occur twice, or counters are missing. */
  readonly isInvalid?: boolean
  /** Those with devices that the node may reach. */
  readonly slices: readonly ResourceSlice[]
  /** The others: their devices may use up the same counters. */
  readonly otherSlices: readonly ResourceSlice[]
  readonly counterSets: ReadonlyMap<string, CounterSet>
}

interface Place {
  nodeName?: string
  nodeSelector?: NodeSelector
  allNodes?: boolean
}

/** Upstream: NodeMatches. */
export function isReachable({ nodeName, allNodes, nodeSelector }: Place, node: Node): boolean {
  if (nodeName) return node.metadata.name === nodeName
  if (allNodes) return true
  return nodeSelector?.nodeSelectorTerms.some(term => matchesNodeSelectorTerm(term, node)) ?? false
}

export const hasCounters = ({ spec }: ResourceSlice): boolean => (spec.sharedCounters?.length ?? 0) > 0

export const devicesOf = ({ spec }: ResourceSlice): readonly Device[] => spec.devices ?? []

/** In the order of their names, so that the same devices are found every time. */
export function gatherPools(slices: readonly ResourceSlice[], node: Node): Pool[] {
  const near = new Map<string, ResourceSlice[]>()
  for (const slice of slices) if (isNear(slice, node)) addSlice(near, slice)
  return [...near]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, members]) => poolOf(id, members, slices))
    .filter(pool => pool !== undefined)
}

/** Counters are needed wherever the devices are. */
const isNear = (slice: ResourceSlice, node: Node): boolean =>
  hasCounters(slice) ||
  isReachable(slice.spec, node) ||
  (slice.spec.perDeviceNodeSelection === true && devicesOf(slice).some(device => isReachable(device, node)))

const poolIdOf = ({ spec }: ResourceSlice) => `${spec.driver}/${spec.pool.name}`

function addSlice(pools: Map<string, ResourceSlice[]>, slice: ResourceSlice): void {
  const id = poolIdOf(slice)
  const [first, ...others] = pools.get(id) ?? []
  const { generation } = slice.spec.pool
  if (!first || generation > first.spec.pool.generation) pools.set(id, [slice])
  else if (generation === first.spec.pool.generation) pools.set(id, [first, ...others, slice])
}

/** undefined: a newer generation has nothing for the node. */
function poolOf(
  id: string,
  near: readonly ResourceSlice[],
  slices: readonly ResourceSlice[],
): Pool | undefined {
  const { generation, resourceSliceCount } = near[0]!.spec.pool
  const empty = { id, slices: [], otherSlices: [], counterSets: new Map() }
  if (near.length === resourceSliceCount) return validPool(id, near, [])
  const members = slices.filter(slice => poolIdOf(slice) === id)
  if (members.some(({ spec }) => spec.pool.generation > generation)) return undefined
  const current = members.filter(({ spec }) => spec.pool.generation === generation)
  if (current.length !== resourceSliceCount) return { ...empty, isIncomplete: true }
  return validPool(
    id,
    near,
    current.filter(slice => !near.includes(slice)),
  )
}

function validPool(id: string, near: readonly ResourceSlice[], others: readonly ResourceSlice[]): Pool {
  const slices = near
    .filter(slice => !hasCounters(slice))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const sets = near.flatMap(({ spec }) => spec.sharedCounters ?? [])
  const counterSets = new Map(sets.map(set => [set.name, set]))
  const names = slices.flatMap(slice => devicesOf(slice).map(({ name }) => name))
  const isInvalid =
    new Set(names).size < names.length ||
    counterSets.size < sets.length ||
    ![...slices, ...others].every(slice =>
      devicesOf(slice).every(device => knowsCounters(device, counterSets)),
    )
  if (isInvalid) return { id, isInvalid, slices: [], otherSlices: [], counterSets: new Map() }
  return { id, slices, otherSlices: others, counterSets }
}

const knowsCounters = ({ consumesCounters = [] }: Device, sets: ReadonlyMap<string, CounterSet>): boolean =>
  consumesCounters.every(({ counterSet, counters = {} }) => {
    const known = sets.get(counterSet)
    return known !== undefined && Object.keys(counters).every(name => known.counters?.[name] !== undefined)
  })
