import { humanDuration } from '../../api/duration.ts'
import type { CronJob, Job } from '../../api/types/batch-v1.ts'
import {
  ageOf,
  CONTAINER_COLUMNS,
  containerCells,
  formatBoolean,
  formatLabelSelector,
  NONE,
  SELECTOR,
  since,
} from './cells.ts'
import { AGE, column, NAME, type TableKind } from './table.ts'

export const jobTable: TableKind<Job> = {
  columns: [
    NAME,
    column('Status', 'How far the job is, in one word.'),
    column('Completions', 'Pods that succeeded, of those wanted.'),
    column('Duration', 'Time from its start to its end, or until now.'),
    AGE,
    ...CONTAINER_COLUMNS,
    SELECTOR,
  ],
  cells: (job, now) => [
    job.metadata.name,
    statusOf(job),
    completionsOf(job),
    durationOf(job, now),
    ageOf(job.metadata, now),
    ...containerCells(job.spec.template.spec),
    formatLabelSelector(job.spec.selector),
  ],
}

function statusOf({ metadata, status }: Job): string {
  const has = (wanted: string) =>
    status.conditions?.some(condition => condition.type === wanted && condition.status === 'True')
  if (has('Complete')) return 'Complete'
  if (has('Failed')) return 'Failed'
  if (metadata.deletionTimestamp) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(has) ?? 'Running'
}

function completionsOf({ spec, status }: Job): string {
  const succeeded = status.succeeded ?? 0
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
  const parallelism = spec.parallelism ?? 0
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function durationOf({ status }: Job, now: number): string {
  if (!status.startTime) return ''
  const end = status.completionTime ? Date.parse(status.completionTime) : now
  return humanDuration(end - Date.parse(status.startTime))
}

export const cronJobTable: TableKind<CronJob> = {
  columns: [
    NAME,
    column('Schedule', 'When it runs, as in a crontab.'),
    column('Timezone', 'Time zone of the schedule.'),
    column('Suspend', 'Whether new runs are held back.', 'boolean'),
    column('Active', 'Runs that have not ended.', 'integer'),
    column('Last Schedule', 'Time since the last run was due.'),
    AGE,
    ...CONTAINER_COLUMNS,
    SELECTOR,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.schedule,
    spec.timeZone ?? NONE,
    formatBoolean(spec.suspend),
    status.active?.length ?? 0,
    status.lastScheduleTime ? since(status.lastScheduleTime, now) : NONE,
    ageOf(metadata, now),
    ...containerCells(spec.jobTemplate.spec.template.spec),
    formatLabelSelector(spec.jobTemplate.spec.selector),
  ],
}
