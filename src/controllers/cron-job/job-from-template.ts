// The Job that a CronJob creates for a moment. Upstream: getJobFromTemplate2.
import type { Draft } from '../../api/kube-object.ts'
import { TimeZone } from '../../api/time-zone.ts'
import type { CronJob, Job } from '../../api/types/batch-v1.ts'
import { controllerReference } from '../pod-control/claim.ts'

const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

/** The same for the same moment, so that none runs twice. Upstream: getJobName. */
export function jobName({ metadata }: CronJob, at: number): string {
  return `${metadata.name}-${Math.floor(at / 60_000)}`
}

export function jobFromTemplate(cronJob: CronJob, at: number): Draft<Job> {
  const { jobTemplate, timeZone = '' } = cronJob.spec
  const { labels, annotations } = jobTemplate.metadata ?? {}
  return {
    metadata: {
      name: jobName(cronJob, at),
      namespace: cronJob.metadata.namespace!,
      labels: { ...labels },
      annotations: { ...annotations, [SCHEDULED_AT]: zonedTime(at, TimeZone.find(timeZone) ?? TimeZone.utc) },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec: structuredClone(jobTemplate.spec),
  }
}

/** RFC 3339 with the zone's offset: '2026-01-01T01:00:00+01:00'. */
function zonedTime(at: number, zone: TimeZone): string {
  const offset = zone.offsetMs(at)
  const text = new Date(at + offset).toISOString().slice(0, 19)
  if (offset === 0) return `${text}Z`
  const minutes = Math.abs(offset) / 60_000
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  return `${text}${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}
