// Which Pods go first when there are too many. Upstream: ActivePodsWithRanks in pkg/controller/controller_utils.go.
import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { createdAt, isReady, readySince } from './pod-state.ts'

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const PHASE_ORDER: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 }

/**
 * The `count` Pods to delete first. `related` are the Pods of all replica sets of the same owner: who shares a node
 * with many of them goes sooner. `now` in epoch milliseconds.
 */
export function podsToDelete(
  pods: readonly Pod[],
  related: readonly Pod[],
  count: number,
  now: number,
): Pod[] {
  if (count >= pods.length) return [...pods]
  const onNode = new Map<string, number>()
  for (const { spec, status, metadata } of related) {
    const finished = status.phase === 'Succeeded' || status.phase === 'Failed'
    if (finished || metadata.deletionTimestamp || !spec.nodeName) continue
    onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1)
  }
  const rank = ({ spec }: Pod) => onNode.get(spec.nodeName ?? '') ?? 0
  return [...pods].sort((a, b) => compare(a, b, rank, now)).slice(0, count)
}

function compare(a: Pod, b: Pod, rank: (pod: Pod) => number, now: number): number {
  return (
    Number(!!a.spec.nodeName) - Number(!!b.spec.nodeName) ||
    phaseOrder(a) - phaseOrder(b) ||
    Number(isReady(a)) - Number(isReady(b)) ||
    deletionCost(a) - deletionCost(b) ||
    rank(b) - rank(a) ||
    compareReadiness(a, b, now) ||
    compareRestarts(a, b) ||
    compareAges(createdAt(a), createdAt(b), a, b, now)
  )
}

const phaseOrder = ({ status }: Pod) => PHASE_ORDER[status.phase ?? ''] ?? 0

/** What is no number counts as 0: validation lets only numbers in. */
function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.[DELETION_COST] ?? '0'
  return /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0
}

function compareReadiness(a: Pod, b: Pod, now: number): number {
  if (!isReady(a) || !isReady(b)) return 0
  return compareAges(readySince(a) ?? 0, readySince(b) ?? 0, a, b, now)
}

/** Younger first; of the same order of magnitude the uid decides, so that the victims are spread. KEP-2185. */
function compareAges(startedA: number, startedB: number, a: Pod, b: Pod, now: number): number {
  if (startedA === startedB) return 0
  if (!startedA || !startedB) return startedA - startedB
  const difference = magnitude(now - startedA) - magnitude(now - startedB)
  return difference || (a.metadata.uid < b.metadata.uid ? -1 : 1)
}

/** Of nanoseconds, as upstream counts. */
const magnitude = (ms: number) => (ms > 0 ? Math.floor(Math.log2(ms * 1e6)) : -1)

function compareRestarts(a: Pod, b: Pod): number {
  const [restartsA, restartsB] = [restarts(a), restarts(b)]
  return restartsB.regular - restartsA.regular || restartsB.sidecar - restartsA.sidecar
}

function restarts({ spec, status }: Pod): { regular: number; sidecar: number } {
  const most = (counts: readonly { restartCount: number }[]) =>
    counts.reduce((max, { restartCount }) => Math.max(max, restartCount), 0)
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  const initStatuses = status.initContainerStatuses ?? []
  return {
    regular: most(status.containerStatuses ?? []),
    sidecar: most(initStatuses.filter(({ name }) => sidecars.has(name))),
  }
}
