// Which rule of a Job's pod failure policy a failed Pod falls under. Pure.
// Upstream: pkg/controller/job/pod_failure_policy.go.
import type {
  Job,
  PodFailurePolicyAction,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
} from '../../api/types/batch-v1.ts'
import type { ContainerStatus, Pod, PodCondition } from '../../api/types/core-v1.ts'

export interface FailureVerdict {
  /** Why the whole Job fails; absent: it does not. */
  failJob?: string
  /** Counts towards the back-off limits. */
  counts: boolean
  action?: PodFailurePolicyAction
}

export function judgeFailure({ spec: { podFailurePolicy } }: Job, pod: Pod): FailureVerdict {
  for (const [index, { action, onExitCodes, onPodConditions }] of (podFailurePolicy?.rules ?? []).entries()) {
    const what = onExitCodes
      ? matchedContainer(pod, onExitCodes)
      : matchedCondition(pod, onPodConditions ?? [])
    if (!what) continue
    if (action !== 'FailJob') return { counts: action !== 'Ignore', action }
    return { failJob: `${what} matching ${action} rule at index ${index}`, counts: true, action }
  }
  return { counts: true }
}

function matchedContainer(
  { metadata, status }: Pod,
  wanted: PodFailurePolicyOnExitCodesRequirement,
): string | undefined {
  const all = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]
  const container = all.find(one => matches(one, wanted))
  if (!container) return undefined
  const pod = `${metadata.namespace}/${metadata.name}`
  return `Container ${container.name} for pod ${pod} failed with exit code ${container.state?.terminated?.exitCode}`
}

/** A container that is still ending has no exit code to match. */
function matches(
  { name, state }: ContainerStatus,
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
): boolean {
  const exitCode = state?.terminated?.exitCode ?? 0
  if (exitCode === 0 || (containerName !== undefined && containerName !== name)) return false
  return values.includes(exitCode) === (operator === 'In')
}

function matchedCondition(
  { metadata, status }: Pod,
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
): string | undefined {
  const fits = (condition: PodCondition) =>
    patterns.some(({ type, status }) => type === condition.type && status === condition.status)
  const condition = status.conditions?.find(fits)
  return condition && `Pod ${metadata.namespace}/${metadata.name} has condition ${condition.type}`
}
