// PodDisruptionBudgets as far as preemption keeps to them. Upstream: filterPodsWithPDBViolation.
import { type LabelMatcher, matcherOf } from '../../api/labels.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { PodDisruptionBudget } from '../../api/types/policy-v1.ts'

export interface Budget {
  namespace: string
  matches: LabelMatcher
  /** How many Pods may still go. */
  allowed: number
  /** Pods whose going is counted already, by name. */
  disrupted: ReadonlySet<string>
}

/** A budget without a selector protects nobody. */
export function toBudgets(list: readonly PodDisruptionBudget[]): Budget[] {
  return list
    .filter(({ spec: { selector } }) => isSelective(selector))
    .map(({ metadata, spec, status }) => ({
      namespace: metadata.namespace ?? '',
      matches: matcherOf(spec.selector),
      allowed: status?.disruptionsAllowed ?? 0,
      disrupted: new Set(Object.keys(status?.disruptedPods ?? {})),
    }))
}

const isSelective = (selector: PodDisruptionBudget['spec']['selector']) =>
  Object.keys(selector?.matchLabels ?? {}).length > 0 || (selector?.matchExpressions ?? []).length > 0

/** Those that could not go, if they went in this order, without a budget being overdrawn. */
export function violatesBudgets(pods: readonly Pod[], budgets: readonly Budget[]): Set<Pod> {
  const left = budgets.map(({ allowed }) => allowed)
  const violating = new Set<Pod>()
  for (const pod of pods) {
    const { name, namespace, labels = {} } = pod.metadata
    if (Object.keys(labels).length === 0) continue
    for (const [index, budget] of budgets.entries()) {
      const isMeant = budget.namespace === namespace && !budget.disrupted.has(name) && budget.matches(labels)
      if (!isMeant) continue
      left[index]!--
      if (left[index]! < 0) violating.add(pod)
    }
  }
  return violating
}
