// Upstream: ValidateCronJobCreate, ValidateCronJobUpdate in pkg/apis/batch/validation.
import { parseSchedule, ScheduleError } from '../../cron-schedule.ts'
import { TimeZone } from '../../time-zone.ts'
import type { CronJob, CronJobSpec, JobTemplateSpec } from '../../types/batch-v1.ts'
import { type FieldError, invalidValue, nonNegative, notSupported, oneOf, required } from '../field-error.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import type { Validator } from '../validator.ts'
import { validateJobSpec } from './job-spec.ts'

/** A Job's name is longer by the moment it was made for. */
const LONGEST_NAME = 52

/** On create; an update looks at the same, but for what was let in before. */
function validateCronJob({ metadata: { name }, spec }: CronJob): FieldError[] {
  return [
    ...validateSpec(spec, undefined),
    ...(name.length > LONGEST_NAME
      ? [invalidValue('metadata.name', name, `must be no more than ${LONGEST_NAME} characters`)]
      : []),
  ]
}

function validateSpec(spec: CronJobSpec, old: CronJobSpec | undefined): FieldError[] {
  const policies = ['Allow', 'Forbid', 'Replace']
  return [
    ...(spec.schedule
      ? validateSchedule(spec, old?.schedule.includes('TZ') === true)
      : [required('spec.schedule')]),
    ...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds),
    ...(old && old.timeZone === spec.timeZone ? [] : validateTimeZone(spec.timeZone, 'spec.timeZone')),
    ...oneOf('spec.concurrencyPolicy', spec.concurrencyPolicy, policies),
    ...validateJobTemplate(spec.jobTemplate, 'spec.jobTemplate.spec'),
    ...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit),
    ...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit),
  ]
}

function validateSchedule({ schedule, timeZone }: CronJobSpec, allowsZone: boolean): FieldError[] {
  const errors: FieldError[] = []
  const wrong = (detail: string) => errors.push(invalidValue('spec.schedule', schedule, detail))
  try {
    parseSchedule(schedule)
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error
    wrong(error.message)
  }
  if (!schedule.includes('TZ')) return errors
  if (!allowsZone) wrong('cannot use TZ or CRON_TZ in schedule, use timeZone field instead')
  else if (timeZone !== undefined) wrong('cannot use both timeZone field and TZ or CRON_TZ in schedule')
  return errors
}

function validateTimeZone(zone: string | undefined, field: string): FieldError[] {
  if (zone === undefined) return []
  const wrong = (detail: string) => invalidValue(field, zone, detail)
  if (zone === '') return [wrong('timeZone must be nil or non-empty string')]
  const isName = (part: string) => /^[A-Za-z._0-9+][A-Za-z.\-_0-9+]{0,13}$/.test(part)
  if (zone.split('/').some(part => part === '.' || part === '..' || !isName(part)))
    return [wrong(`unknown time zone ${zone}`)]
  const errors: FieldError[] = []
  if (zone.toLowerCase() === 'local') {
    errors.push(wrong('timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'))
  }
  // Go knows the zone 'Local'.
  if (zone !== 'Local' && !TimeZone.find(zone)) errors.push(wrong(`unknown time zone ${zone}`))
  return errors
}

function validateJobTemplate({ spec }: JobTemplateSpec, path: string): FieldError[] {
  const errors = validateJobSpec(spec, path)
  if (spec.selector) {
    errors.push(invalidValue(`${path}.selector`, spec.selector, '`selector` will be auto-generated'))
  }
  if (spec.manualSelector)
    errors.push(notSupported(`${path}.manualSelector`, true as never, ['nil', 'false']))
  return errors
}

export const cronJobValidator: Validator = {
  create: validateCronJob,
  subresources: {
    '': ({ metadata, spec }: CronJob, old: CronJob) => [
      ...validateObjectMetaUpdate(metadata, old.metadata),
      ...validateSpec(spec, old.spec),
    ],
  },
}
