// Which finished Jobs of a CronJob are too many. Pure. Upstream: removeOldestJobs, byJobStartTime.
import type { Job } from '../../api/types/batch-v1.ts'

export function oldestBeyond(limit: number | undefined, finished: readonly Job[]): Job[] {
  if (limit === undefined) return []
  const surplus = Math.max(0, finished.length - limit)
  return [...finished].sort(byStart).slice(0, surplus)
}

const startOf = ({ status }: Job): number => (status.startTime ? Date.parse(status.startTime) : Infinity)

function byStart(one: Job, two: Job): number {
  if (startOf(one) !== startOf(two)) return startOf(one) - startOf(two)
  return one.metadata.name < two.metadata.name ? -1 : 1
}
