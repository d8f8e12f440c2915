// What a controller must know of a Pod: does it count, is it ready, and since when is it available.
// Upstream: pkg/controller/controller_utils.go and pkg/api/v1/pod/util.go.
import { parseTime } from '../../api/time.ts'
import type { Pod } from '../../api/types/core-v1.ts'

export const isTerminal = ({ status }: Pod): boolean =>
  status.phase === 'Succeeded' || status.phase === 'Failed'

/** Neither finished nor being deleted: such a Pod counts as a replica. Upstream: IsPodActive. */
export const isActive = (pod: Pod): boolean => !isTerminal(pod) && !pod.metadata.deletionTimestamp

/** Being deleted, and not finished yet. Upstream: IsPodTerminating. */
export const isTerminating = (pod: Pod): boolean =>
  !isTerminal(pod) && pod.metadata.deletionTimestamp !== undefined

export function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True'
}

const readyCondition = ({ status }: Pod) => (status.conditions ?? []).find(({ type }) => type === 'Ready')

/** When it became ready, in epoch milliseconds; undefined when it is not, or when that is not known. */
export function readySince(pod: Pod): number | undefined {
  const condition = readyCondition(pod)
  if (condition?.status !== 'True' || !condition.lastTransitionTime) return undefined
  return parseTime(condition.lastTransitionTime)
}

/** When it is available, in epoch milliseconds, if it stays ready; undefined while it is not ready. */
export function availableAt(pod: Pod, minReadySeconds = 0): number | undefined {
  if (!isReady(pod)) return undefined
  if (minReadySeconds === 0) return Number.NEGATIVE_INFINITY
  const since = readySince(pod)
  return since === undefined ? undefined : since + minReadySeconds * 1_000
}

/** Ready for minReadySeconds at least. Upstream: IsPodAvailable. */
export function isAvailable(pod: Pod, minReadySeconds: number | undefined, now: number): boolean {
  return (availableAt(pod, minReadySeconds) ?? Number.POSITIVE_INFINITY) <= now
}

/** Milliseconds until the next of the Pods becomes available; undefined when there is none to wait for. */
export function nextAvailabilityMs(
  pods: readonly Pod[],
  minReadySeconds: number | undefined,
  now: number,
): number | undefined {
  const waits = pods
    .map(pod => (availableAt(pod, minReadySeconds) ?? 0) - now)
    .filter(wait => Number.isFinite(wait) && wait > 0)
  return waits.length > 0 ? Math.min(...waits) : undefined
}

export const createdAt = ({ metadata }: { metadata: { creationTimestamp?: string | null } }): number =>
  parseTime(metadata.creationTimestamp ?? '') ?? 0
