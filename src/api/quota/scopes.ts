// Which objects a quota with scopes counts. Upstream: pkg/quota/v1/evaluator/core/pods.go podMatchesScopeFunc.
import { qosClass } from '../pod/qos.ts'
import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuotaSpec,
  ScopedResourceSelectorRequirement,
} from '../types/core-v1.ts'

/** Plain scopes and the selector's, as one list of requirements. */
export function scopesOf({
  scopes = [],
  scopeSelector,
}: ResourceQuotaSpec): ScopedResourceSelectorRequirement[] {
  return [
    ...scopes.map(scopeName => ({ scopeName, operator: 'Exists' as const })),
    ...(scopeSelector?.matchExpressions ?? []),
  ]
}

export function podMatchesScope(
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
  pod: Pod,
): boolean {
  switch (scopeName) {
    case 'Terminating':
      return isTerminating(pod)
    case 'NotTerminating':
      return !isTerminating(pod)
    case 'BestEffort':
      return qosClass(pod.spec) === 'BestEffort'
    case 'NotBestEffort':
      return qosClass(pod.spec) !== 'BestEffort'
    case 'PriorityClass':
      return matchesValue(operator, values, pod.spec.priorityClassName)
    case 'CrossNamespacePodAffinity':
      return usesCrossNamespaceAffinity(pod)
    default:
      return false
  }
}

export function claimMatchesScope(
  { scopeName, operator, values = [] }: ScopedResourceSelectorRequirement,
  claim: PersistentVolumeClaim,
): boolean {
  return (
    scopeName === 'VolumeAttributesClass' &&
    matchesValue(operator, values, claim.spec.volumeAttributesClassName)
  )
}

const isTerminating = ({ spec }: Pod) => (spec.activeDeadlineSeconds ?? -1) >= 0

/** A label selector's requirement over one value; '' counts as absent where existence is asked. */
function matchesValue(operator: string, values: readonly string[], value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return Boolean(value)
    default:
      return !value
  }
}

function usesCrossNamespaceAffinity({ spec: { affinity } }: Pod): boolean {
  const terms = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap(group => [
    ...(group?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(group?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
      ({ podAffinityTerm }) => podAffinityTerm,
    ),
  ])
  return terms.some(
    (term: PodAffinityTerm) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined,
  )
}
