import type { Node, Pod } from '../../api/types/core-v1.ts'
import type { DeviceObjects } from '../devices/device-objects.ts'
import { isDelegated } from '../devices/extended-resources.ts'
import { MAX_SCORE, type Plugin, type Rejection } from '../framework.ts'
import { type Amounts, allocatableOf, nonZeroRequestsOf, requestsOf } from '../state/amounts.ts'
import type { NodeInfo } from '../state/node-info.ts'

/**
 * Enough free cpu, memory, storage, extended resources and Pod slots; prefers the emptier node.
 * Upstream: noderesources/fit.go.
 */
export const nodeResourcesFit: Plugin<Wanted> = {
  name: 'NodeResourcesFit',
  weight: 1,
  prepare: (pod, { objects }) => ({ state: { amounts: requestsOf(pod), devices: objects.devices } }),
  filter: (_pod, node, { amounts, devices }) =>
    fits(amounts, node) ? undefined : lacking(withoutDelegated(amounts, node, devices), node),
  score(pod, { nonZero, allocatable }) {
    const wanted = nonZeroRequestsOf(pod)
    const cpu = leastAllocated(nonZero.milliCpu + wanted.milliCpu, allocatable.milliCpu)
    const memory = leastAllocated(nonZero.memory + wanted.memory, allocatable.memory)
    return Math.floor((cpu + memory) / 2)
  },
  mayHelp(event, pod) {
    switch (event.what) {
      case 'assignedPodGone':
      case 'nominationOver':
        return true
      case 'assignedPodChanged':
        return event.aspects.has('requests') && frees(event.old, event.pod, pod)
      case 'podChanged':
        return event.aspects.has('requests')
      case 'nodeAdded':
        return fitsEmpty(pod, event.node)
      case 'devicesChanged':
        return requestsOf(pod).scalars.size > 0
      case 'nodeChanged':
        return (
          event.aspects.has('allocatable') && fitsEmpty(pod, event.node) && grew(event.old, event.node, pod)
        )
      default:
        return false
    }
  },
}

interface Wanted {
  amounts: Amounts
  devices: DeviceObjects
}

/** What the node has as devices that are claimed is counted elsewhere. */
function withoutDelegated(wanted: Amounts, node: NodeInfo, devices: DeviceObjects): Amounts {
  if (![...wanted.scalars.keys()].some(name => isDelegated(name, node, devices))) return wanted
  const kept = [...wanted.scalars].filter(([name]) => !isDelegated(name, node, devices))
  return { ...wanted, scalars: new Map(kept) }
}

/** Asked for every node and Pod; the reasons are found out only when there are any. */
function fits(wanted: Amounts, { pods, requested, allocatable }: NodeInfo): boolean {
  if (pods.size + 1 > allocatable.pods || wanted.scalars.size > 0) return false
  return (
    (wanted.milliCpu === 0 || wanted.milliCpu <= allocatable.milliCpu - requested.milliCpu) &&
    (wanted.memory === 0 || wanted.memory <= allocatable.memory - requested.memory) &&
    (wanted.ephemeralStorage === 0 ||
      wanted.ephemeralStorage <= allocatable.ephemeralStorage - requested.ephemeralStorage)
  )
}

/** All that is short, as reasons; not resolvable when even the empty node would be too small. */
export function lacking(
  wanted: Amounts,
  { pods, requested, allocatable }: Pick<NodeInfo, 'requested' | 'allocatable'> & { pods: { size: number } },
): Rejection | undefined {
  const reasons: string[] = []
  let resolvable = true
  if (pods.size + 1 > allocatable.pods) reasons.push('Too many pods')
  const check = (name: string, want: number, used: number, total: number) => {
    if (want === 0 || want <= total - used) return
    reasons.push(`Insufficient ${name}`)
    if (want > total) resolvable = false
  }
  check('cpu', wanted.milliCpu, requested.milliCpu, allocatable.milliCpu)
  check('memory', wanted.memory, requested.memory, allocatable.memory)
  const { ephemeralStorage } = wanted
  check('ephemeral-storage', ephemeralStorage, requested.ephemeralStorage, allocatable.ephemeralStorage)
  for (const [name, want] of wanted.scalars) {
    check(name, want, requested.scalars.get(name) ?? 0, allocatable.scalars.get(name) ?? 0)
  }
  return reasons.length > 0 ? { reasons, resolvable } : undefined
}

function leastAllocated(requested: number, capacity: number): number {
  return capacity === 0 || requested > capacity
    ? 0
    : Math.floor(((capacity - requested) * MAX_SCORE) / capacity)
}

const NOTHING: Amounts = { milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: new Map() }

/** What the node has nothing of may be had by claims there. */
function fitsEmpty(pod: Pod, node: Node): boolean {
  const [wanted, allocatable] = [requestsOf(pod), allocatableOf(node)]
  const scalars = new Map([...wanted.scalars].filter(([name]) => (allocatable.scalars.get(name) ?? 0) > 0))
  return !lacking({ ...wanted, scalars }, { pods: new Map(), requested: NOTHING, allocatable })
}

/** The other Pod asks for less of something that this one wants. */
const frees = (old: Pod, now: Pod, pod: Pod) => isMore(requestsOf(old), requestsOf(now), requestsOf(pod))

function grew(old: Node, now: Node, pod: Pod): boolean {
  const [before, after] = [allocatableOf(old), allocatableOf(now)]
  return after.pods > before.pods || isMore(after, before, requestsOf(pod))
}

function isMore(one: Amounts, other: Amounts, wanted: Amounts): boolean {
  return (
    (wanted.milliCpu > 0 && one.milliCpu > other.milliCpu) ||
    (wanted.memory > 0 && one.memory > other.memory) ||
    (wanted.ephemeralStorage > 0 && one.ephemeralStorage > other.ephemeralStorage) ||
    [...wanted.scalars].some(
      ([name, want]) => want > 0 && (one.scalars.get(name) ?? 0) > (other.scalars.get(name) ?? 0),
    )
  )
}
