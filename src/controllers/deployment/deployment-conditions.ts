// Conditions of a Deployment. Upstream: pkg/controller/deployment/util/deployment_util.go.
import { formatTime } from '../../api/time.ts'
import type { DeploymentCondition } from '../../api/types/apps-v1.ts'

export type ConditionType = 'Available' | 'Progressing' | 'ReplicaFailure'

export type ProgressingReason =
  | 'ReplicaSetUpdated'
  | 'ReplicaSetCreateError'
  | 'NewReplicaSetCreated'
  | 'FoundNewReplicaSet'
  | 'NewReplicaSetAvailable'
  | 'ProgressDeadlineExceeded'
  | 'DeploymentPaused'
  | 'DeploymentResumed'

type Conditions = readonly DeploymentCondition[]

/** `now` in epoch milliseconds. */
export function deploymentCondition(
  type: ConditionType,
  status: 'True' | 'False' | 'Unknown',
  { reason, message, now }: { reason: string; message: string; now: number },
): DeploymentCondition {
  const at = formatTime(now)
  return { type, status, lastUpdateTime: at, lastTransitionTime: at, reason, message }
}

export const progressing = (
  status: 'True' | 'False' | 'Unknown',
  reason: ProgressingReason,
  message: string,
  now: number,
): DeploymentCondition => deploymentCondition('Progressing', status, { reason, message, now })

export function findCondition(
  conditions: Conditions | undefined,
  type: ConditionType,
): DeploymentCondition | undefined {
  return conditions?.find(condition => condition.type === type)
}

/** With the same status and reason the old one stays; it moves to the end otherwise. Upstream: SetDeploymentCondition. */
export function setCondition(conditions: Conditions, condition: DeploymentCondition): DeploymentCondition[] {
  const type = condition.type as ConditionType
  const current = findCondition(conditions, type)
  if (current?.status === condition.status && current.reason === condition.reason) return [...conditions]
  const keepsTime = current?.status === condition.status && current.lastTransitionTime
  const wanted = keepsTime ? { ...condition, lastTransitionTime: current.lastTransitionTime! } : condition
  return [...removeCondition(conditions, type), wanted]
}

export function removeCondition(conditions: Conditions, type: ConditionType): DeploymentCondition[] {
  return conditions.filter(condition => condition.type !== type)
}
