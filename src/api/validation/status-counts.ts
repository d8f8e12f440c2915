// Counts in the status of workloads. Upstream: ValidateDeploymentStatus and its like in apps/validation.
import type { ObjectMeta } from '../types/meta-v1.ts'
import { type FieldError, invalidValue, nonNegative } from './field-error.ts'
import { validateObjectMetaUpdate } from './object-meta.ts'

interface WithStatus {
  metadata: ObjectMeta
  status?: unknown
}

export interface StatusRules {
  /** None may be negative. */
  counts: readonly string[]
  /** None may be more than replicas. */
  ofReplicas?: readonly string[]
  /** What availableReplicas is told not to exceed: 'readyReplicas' or 'status.readyReplicas'. */
  readyName?: string
}

export function validateStatusCounts(object: WithStatus, old: WithStatus, rules: StatusRules): FieldError[] {
  const [status, before] = [object.status, old.status].map(one => (one ?? {}) as Record<string, number>)
  const count = (name: string) => status![name] ?? 0
  const errors = validateObjectMetaUpdate(object.metadata, old.metadata)
  for (const name of [...rules.counts, 'collisionCount'])
    errors.push(...nonNegative(`status.${name}`, status![name]))
  for (const name of rules.ofReplicas ?? []) {
    if (count(name) > count('replicas')) {
      errors.push(invalidValue(`status.${name}`, count(name), 'cannot be greater than status.replicas'))
    }
  }
  if (rules.readyName && count('availableReplicas') > count('readyReplicas')) {
    const detail = `cannot be greater than ${rules.readyName}`
    errors.push(invalidValue('status.availableReplicas', count('availableReplicas'), detail))
  }
  if ((before!.collisionCount ?? 0) > (status!.collisionCount ?? 0) && before!.collisionCount !== undefined) {
    errors.push(invalidValue('status.collisionCount', status!.collisionCount ?? 0, 'cannot be decremented'))
  }
  return errors
}
