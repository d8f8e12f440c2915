// Which of a Job's active Pods go first when there are too many. Pure.
import type { Job } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { isReady } from '../pod-control/pod-state.ts'
import { indexOf, isIndexed } from './job-facts.ts'

const PHASE_RANK: Record<string, number> = { Pending: 0, Unknown: 1, Running: 2 }

/** Those that are least far, then the newest, go first. Upstream: controller_utils.go ActivePods. */
export function inRemovalOrder(pods: readonly Pod[]): Pod[] {
  return [...pods].sort(
    (one, two) =>
      Number(!!one.spec.nodeName) - Number(!!two.spec.nodeName) ||
      (PHASE_RANK[one.status.phase ?? ''] ?? 0) - (PHASE_RANK[two.status.phase ?? ''] ?? 0) ||
      Number(isReady(one)) - Number(isReady(two)) ||
      readySince(two) - readySince(one) ||
      restarts(two) - restarts(one) ||
      Date.parse(two.metadata.creationTimestamp!) - Date.parse(one.metadata.creationTimestamp!),
  )
}

function readySince(pod: Pod): number {
  const ready = pod.status.conditions?.find(({ type, status }) => type === 'Ready' && status === 'True')
  return ready?.lastTransitionTime ? Date.parse(ready.lastTransitionTime) : 0
}

const restarts = ({ status }: Pod): number =>
  Math.max(0, ...(status.containerStatuses ?? []).map(({ restartCount }) => restartCount))

/** At least so many; and those whose index is missing, too high, or another's too. Upstream: activePodsForRemoval. */
export function podsForRemoval(job: Job, active: readonly Pod[], atLeast: number): Pod[] {
  const [left, surplus] = isIndexed(job) ? withoutDuplicates(job, active) : [active, []]
  const missing = atLeast - surplus.length
  return missing > 0 ? [...surplus, ...inRemovalOrder(left).slice(0, missing)] : [...surplus]
}

function withoutDuplicates(job: Job, active: readonly Pod[]): [Pod[], Pod[]] {
  const byIndex = Map.groupBy(active, pod => indexOf(pod, job))
  const left: Pod[] = []
  const surplus = byIndex.get(undefined) ?? []
  byIndex.delete(undefined)
  for (const pods of byIndex.values()) {
    const ordered = inRemovalOrder(pods)
    left.push(ordered.pop()!)
    surplus.push(...ordered)
  }
  return [left, surplus]
}
