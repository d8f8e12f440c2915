// What may be written into a Job's status, whoever manages it: rules on what changes only, so that an old mistake does
// not keep other changes out. Upstream: validateJobStatus, ValidateJobStatusUpdate with getStatusValidationOptions.
import type { Job, JobStatus } from '../../types/batch-v1.ts'
import {
  duplicate,
  type FieldError,
  invalidValue,
  nonNegative,
  OMITTED,
  required,
  same,
} from '../field-error.ts'
import { internalForm } from '../internal-json.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import { checkDisjoint, countIndexes, IndexesError } from './index-intervals.ts'

const COUNTS = ['active', 'succeeded', 'failed', 'ready', 'terminating'] as const

export function validateJobStatusUpdate(job: Job, old: Job): FieldError[] {
  return [
    ...validateObjectMetaUpdate(job.metadata, old.metadata),
    ...COUNTS.flatMap(name => nonNegative(`status.${name}`, job.status[name])),
    ...validateUncounted(job.status),
    ...validateConditions(job, old),
    ...validateTimes(job, old),
    ...validateFinished(job, old),
    ...validateIndexes(job, old),
    ...validateChanges(job, old),
  ]
}

function has({ status }: Job, type: string): boolean {
  return status.conditions?.some(one => one.type === type && one.status === 'True') === true
}

const isFinished = (job: Job) => has(job, 'Complete') || has(job, 'Failed')

const conditions = (detail: string) => invalidValue('status.conditions', OMITTED, detail)

function validateUncounted({ uncountedTerminatedPods: uncounted }: JobStatus): FieldError[] {
  const seen = new Set<string>()
  return (['succeeded', 'failed'] as const).flatMap(list =>
    (uncounted?.[list] ?? []).flatMap((uid, index) => {
      const field = `status.uncountedTerminatedPods.${list}[${index}]`
      if (uid === '') return [invalidValue(field, uid, 'must not be empty')]
      if (seen.has(uid)) return [duplicate(field, uid)]
      seen.add(uid)
      return []
    }),
  )
}

function validateConditions(job: Job, old: Job): FieldError[] {
  const errors: FieldError[] = []
  const turned = (type: string) => has(job, type) !== has(old, type)
  const complete = has(job, 'Complete')
  const failed = has(job, 'Failed')
  const target = has(job, 'FailureTarget')
  const criteria = has(job, 'SuccessCriteriaMet')
  if (complete && failed && (turned('Complete') || turned('Failed')))
    errors.push(conditions('cannot set Complete=True and Failed=true conditions'))
  if (complete && target && (turned('Complete') || turned('FailureTarget')))
    errors.push(conditions('cannot set Complete=True and FailureTarget=true conditions'))
  if (failed && !target && (turned('Failed') || turned('FailureTarget')))
    errors.push(conditions('cannot set Failed=True condition without the FailureTarget=true condition'))
  if (complete && !criteria && (turned('Complete') || turned('SuccessCriteriaMet')))
    errors.push(
      conditions('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'),
    )
  if (criteria && failed)
    errors.push(conditions('cannot set SuccessCriteriaMet=True and Failed=true conditions'))
  if (criteria && target)
    errors.push(conditions('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'))
  if (job.spec.successPolicy && complete && !criteria) {
    const detail = 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True'
    errors.push(conditions(detail))
  }
  return errors
}

function validateTimes(job: Job, old: Job): FieldError[] {
  const { startTime, completionTime } = job.status
  const errors: FieldError[] = []
  const complete = has(job, 'Complete')
  const ended = completionTime !== old.status.completionTime
  const field = 'status.completionTime'
  if (ended || complete !== has(old, 'Complete')) {
    if (completionTime && !complete) {
      const detail = 'cannot set completionTime when there is no Complete=True condition'
      errors.push(invalidValue(field, completionTime, detail))
    }
    if (!completionTime && complete)
      errors.push(required(field, 'completionTime is required for Complete jobs'))
  }
  const isEarly = startTime && completionTime && Date.parse(completionTime) < Date.parse(startTime)
  if (isEarly && (ended || startTime !== old.status.startTime))
    errors.push(invalidValue(field, completionTime, 'completionTime cannot be set before startTime'))
  return errors
}

function validateFinished(job: Job, old: Job): FieldError[] {
  const { status } = job
  const errors: FieldError[] = []
  const turned = isFinished(job) !== isFinished(old)
  const changed = (name: keyof JobStatus) => turned || !same(status[name], old.status[name])
  if (isFinished(job)) {
    if ((status.active ?? 0) > 0 && changed('active'))
      errors.push(invalidValue('status.active', status.active, 'active>0 is invalid for finished job'))
    if (!status.startTime && changed('startTime'))
      errors.push(required('status.startTime', 'startTime is required for finished job'))
    const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {}
    if (succeeded.length + failed.length > 0 && changed('uncountedTerminatedPods')) {
      const shown = internalForm('batch/v1.UncountedTerminatedPods', { ...status.uncountedTerminatedPods })
      const detail = 'uncountedTerminatedPods needs to be empty for finished job'
      errors.push(invalidValue('status.uncountedTerminatedPods', shown, detail))
    }
    if ((status.terminating ?? 0) > 0 && changed('terminating')) {
      const detail = 'terminating>0 is invalid for finished job'
      errors.push(invalidValue('status.terminating', status.terminating, detail))
    }
  }
  const pods = status.active !== old.status.active || status.ready !== old.status.ready
  if (pods && (status.ready ?? 0) > (status.active ?? 0))
    errors.push(invalidValue('status.ready', status.ready, 'cannot set more ready pods than active'))
  return errors
}

function validateIndexes({ spec, status }: Job, old: Job): FieldError[] {
  const { completedIndexes = '', failedIndexes } = status
  const { completions } = spec
  const errors: FieldError[] = []
  const completedChanged = completedIndexes !== (old.status.completedIndexes ?? '')
  const failedChanged = failedIndexes !== old.status.failedIndexes
  const check = (field: string, value: string, prefix: string, act: () => void) => {
    try {
      act()
    } catch (error) {
      if (!(error instanceof IndexesError)) throw error
      errors.push(invalidValue(field, value, prefix + error.message))
    }
  }
  const [completedAt, failedAt] = ['status.completedIndexes', 'status.failedIndexes']
  if (completedChanged && completions !== undefined) {
    check(completedAt, completedIndexes, 'error parsing completedIndexes: ', () =>
      countIndexes(completedIndexes, completions),
    )
  }
  if (
    failedChanged &&
    failedIndexes !== undefined &&
    completions !== undefined &&
    spec.backoffLimitPerIndex !== undefined
  ) {
    check(failedAt, failedIndexes, 'error parsing failedIndexes: ', () =>
      countIndexes(failedIndexes, completions),
    )
  }
  if (completedChanged && completedIndexes !== '' && spec.completionMode !== 'Indexed') {
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode'
    errors.push(invalidValue(completedAt, completedIndexes, detail))
  }
  if (failedChanged && failedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'
    errors.push(invalidValue(failedAt, failedIndexes, detail))
  }
  if ((failedChanged || completedChanged) && completions !== undefined && failedIndexes !== undefined) {
    check(failedAt, failedIndexes, '', () => checkDisjoint(completedIndexes, failedIndexes, completions))
  }
  return errors
}

/** What an earlier status said and may not be taken back. */
function validateChanges(job: Job, old: Job): FieldError[] {
  const { spec, status } = job
  const errors = ['Failed', 'Complete', 'FailureTarget']
    .filter(type => has(old, type) && !has(job, type))
    .map(type => conditions(`cannot disable the terminal ${type}=True condition`))
  const isLess = (name: 'failed' | 'succeeded') => (status[name] ?? 0) < (old.status[name] ?? 0)
  if (isLess('failed'))
    errors.push(invalidValue('status.failed', status.failed ?? 0, 'cannot decrease the failed counter'))
  // An elastic Job that shrinks forgets what lies beyond.
  const mayShrink = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism
  if (isLess('succeeded') && !mayShrink) {
    const detail = 'cannot decrease the succeeded counter'
    errors.push(invalidValue('status.succeeded', status.succeeded ?? 0, detail))
  }
  const { completionTime, startTime } = status
  if (completionTime && old.status.completionTime && completionTime !== old.status.completionTime) {
    errors.push(invalidValue('status.completionTime', completionTime, 'completionTime cannot be mutated'))
  }
  // A Job that is resumed starts anew.
  const isResumed = has(old, 'Suspended') && !has(job, 'Suspended')
  if (old.status.startTime && startTime !== old.status.startTime && !spec.suspend && !isResumed)
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'))
  if (has(old, 'SuccessCriteriaMet') && !has(job, 'SuccessCriteriaMet'))
    errors.push(conditions('cannot disable the SuccessCriteriaMet=True condition'))
  if (has(old, 'Complete') && !has(old, 'SuccessCriteriaMet') && has(job, 'SuccessCriteriaMet')) {
    const detail = 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions'
    errors.push(conditions(detail))
  }
  return errors
}
