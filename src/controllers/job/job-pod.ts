// The Pod that a Job creates for one of its completions.
// Upstream: indexed_job_utils.go addCompletionIndexEnvVariables, podGenerateNameWithIndex and their neighbours.
import type { Draft } from '../../api/kube-object.ts'
import type { Job } from '../../api/types/batch-v1.ts'
import type { Container, EnvVar, Pod } from '../../api/types/core-v1.ts'
import { podFromTemplate } from '../pod-control/pod-control.ts'
import { failureAnnotations } from './index-failures.ts'
import { hasLimitPerIndex, INDEX_ANNOTATION, isIndexed, TRACKING_FINALIZER } from './job-facts.ts'

const INDEX_VARIABLE = 'JOB_COMPLETION_INDEX'
/** Upstream: names.MaxGeneratedNameLength. */
const LONGEST_PREFIX = 58

/** `replaced` is the failed Pod of this index whose failure count the new one takes over. */
export function podOfJob(job: Job, index?: number, replaced?: Pod): Draft<Pod> {
  const pod = podFromTemplate(job.spec.template, job)
  const { metadata, spec } = pod
  const finalizers = metadata.finalizers ?? []
  if (!finalizers.includes(TRACKING_FINALIZER)) metadata.finalizers = [...finalizers, TRACKING_FINALIZER]
  if (!isIndexed(job) || index === undefined) return pod
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) addIndexVariable(container)
  metadata.labels = { ...metadata.labels, [INDEX_ANNOTATION]: String(index) }
  metadata.annotations = {
    ...metadata.annotations,
    [INDEX_ANNOTATION]: String(index),
    ...(hasLimitPerIndex(job) && failureAnnotations(job, replaced)),
  }
  metadata.generateName = generateName(job.metadata.name, index)
  spec.hostname = `${job.metadata.name}-${index}`
  return pod
}

/** A variable of the author's own under this name stays. */
function addIndexVariable(container: Container): void {
  if (container.env?.some(({ name }) => name === INDEX_VARIABLE)) return
  const variable: EnvVar = {
    name: INDEX_VARIABLE,
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${INDEX_ANNOTATION}']` } },
  }
  container.env = [...(container.env ?? []), variable]
}

/** The index is kept when a long name has to be cut. */
function generateName(job: string, index: number): string {
  const suffix = `-${index}-`
  return job.slice(0, LONGEST_PREFIX - suffix.length) + suffix
}
