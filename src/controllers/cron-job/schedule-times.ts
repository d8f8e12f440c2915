// Which moment of a CronJob's schedule is due, and when to look again. Pure.
// Upstream: pkg/controller/cronjob/utils.go mostRecentScheduleTime and its callers.
import { parseSchedule, type Schedule } from '../../api/cron-schedule.ts'
import { TimeZone } from '../../api/time-zone.ts'
import type { CronJob } from '../../api/types/batch-v1.ts'

/** Looked at a little after the moment, so that it has certainly come. Upstream: nextScheduleDelta. */
const DELAY_MS = 100
/** So many moments missed are told. */
const MANY_MISSED = 100

/** Throws ScheduleError. A zone that is unknown counts as UTC here: it is judged by itself. */
export function scheduleOf({ spec }: CronJob): Schedule {
  return parseSchedule(spec.schedule, TimeZone.find(spec.timeZone ?? ''))
}

interface Recent {
  earliest: number
  /** Epoch milliseconds. */
  at?: number
  missed: number
  /** No moment follows another one. */
  invalid?: true
}

/** The newest moment that has come since the last one used. */
function mostRecent(
  { metadata, spec, status }: CronJob,
  schedule: Schedule,
  now: number,
  withDeadline: boolean,
): Recent {
  let earliest = Date.parse(status.lastScheduleTime ?? metadata.creationTimestamp!)
  if (withDeadline && spec.startingDeadlineSeconds !== undefined) {
    earliest = Math.max(earliest, now - spec.startingDeadlineSeconds * 1_000)
  }
  const first = schedule.next(earliest)
  const second = first === undefined ? undefined : schedule.next(first)
  if (first === undefined || second === undefined) return { earliest, missed: 0, invalid: true }
  if (now < first) return { earliest, missed: 0 }
  if (now < second) return { earliest, at: first, missed: 0 }
  const between = Math.round((second - first) / 1_000)
  const missed = Math.floor(Math.floor((now - first) / 1_000) / between) + 1
  let at: number | undefined
  let next = schedule.next(first + (missed - 2) * between * 1_000)
  for (; next !== undefined && next <= now; next = schedule.next(next)) at = next
  return { earliest, missed, ...(at !== undefined && { at }) }
}

export type Due = { do: 'invalid' } | { do: 'wait' } | { do: 'run'; at: number; manyMissed: boolean }

/** Upstream: nextScheduleTime. */
export function dueTime(cronJob: CronJob, schedule: Schedule, now: number): Due {
  const { at, missed, invalid } = mostRecent(cronJob, schedule, now, true)
  if (invalid) return { do: 'invalid' }
  if (at === undefined) return { do: 'wait' }
  return { do: 'run', at, manyMissed: missed > MANY_MISSED }
}

/** Milliseconds until the next moment. Upstream: nextScheduleTimeDuration. */
export function untilNextMs(cronJob: CronJob, schedule: Schedule, now: number): number | undefined {
  const { at, earliest, missed, invalid } = mostRecent(cronJob, schedule, now, false)
  const from = at ?? (invalid || missed > 0 ? now : earliest)
  const next = schedule.next(from)
  return next === undefined ? undefined : next + DELAY_MS - now
}
