// Which checks the workload kinds must pass; Jobs and CronJobs here. Upstream: pkg/apis/{apps,batch}/validation.
import type { PodTemplateSpec } from '../types/core-v1.ts'
import { controllerRevisionValidator } from './apps/controller-revision.ts'
import { daemonSetValidator } from './apps/daemon-set.ts'
import { deploymentValidator, replicaSetValidator } from './apps/deployment.ts'
import { replicationControllerValidator } from './apps/replication-controller.ts'
import { statefulSetValidator } from './apps/stateful-set.ts'
import { type FieldError, invalidValue, notSupported, required } from './field-error.ts'
import { validateTemplate } from './pod-template.ts'
import type { Validator } from './validator.ts'

interface Workload {
  spec: { template: PodTemplateSpec }
}

function validateJob({ spec }: Workload, path = 'spec'): FieldError[] {
  const errors = validateTemplate(spec.template, `${path}.template`)
  const policy = spec.template.spec.restartPolicy
  const field = `${path}.template.spec.restartPolicy`
  if (!policy || policy === 'Always') errors.push(required(field, 'valid values: "OnFailure", "Never"'))
  else if (policy !== 'OnFailure' && policy !== 'Never')
    errors.push(notSupported(field, policy, ['OnFailure', 'Never']))
  const counts = spec as unknown as Record<string, number | undefined>
  for (const name of [
    'parallelism',
    'completions',
    'activeDeadlineSeconds',
    'backoffLimit',
    'ttlSecondsAfterFinished',
  ]) {
    if ((counts[name] ?? 0) < 0)
      errors.push(invalidValue(`${path}.${name}`, counts[name], 'must be greater than or equal to 0'))
  }
  return errors
}

interface CronJobLike {
  spec: { schedule: string; jobTemplate: Workload }
}

function validateCronJob({ spec }: CronJobLike): FieldError[] {
  const schedule = spec.schedule ? [] : [required('spec.schedule')]
  return [...schedule, ...validateJob(spec.jobTemplate, 'spec.jobTemplate.spec')]
}

export const templateChecks: Record<string, Validator> = {
  '/ReplicationController': replicationControllerValidator,
  'apps/ControllerRevision': controllerRevisionValidator,
  'apps/DaemonSet': daemonSetValidator,
  'apps/Deployment': deploymentValidator,
  'apps/ReplicaSet': replicaSetValidator,
  'apps/StatefulSet': statefulSetValidator,
  'batch/Job': { create: (job: Workload) => validateJob(job) },
  'batch/CronJob': { create: validateCronJob },
}
