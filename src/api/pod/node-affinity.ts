// Which nodes a Pod asks for. Upstream: component-helpers scheduling/corev1/nodeaffinity.
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../types/core-v1.ts'

/** nodeSelector and required node affinity together. */
export function matchesNodeSelector(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {}))
    if (labels[key] !== value) return false
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return !required || required.nodeSelectorTerms.some(term => matchesNodeSelectorTerm(term, node))
}

/** All expressions and fields of a term must match; a term without any matches nothing. */
export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length === 0 && fields.length === 0) return false
  const labels = node.metadata.labels ?? {}
  return (
    expressions.every(requirement => matches(requirement, labels[requirement.key])) &&
    fields.every(requirement =>
      matches(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined),
    )
  )
}

function matches({ operator, values = [] }: NodeSelectorRequirement, actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual)
    case 'NotIn':
      return actual === undefined || !values.includes(actual)
    case 'Exists':
      return actual !== undefined
    case 'DoesNotExist':
      return actual === undefined
    case 'Gt':
      return compareNumbers(actual, values, (a, b) => a > b)
    case 'Lt':
      return compareNumbers(actual, values, (a, b) => a < b)
    default:
      return false
  }
}

function compareNumbers(
  actual: string | undefined,
  values: readonly string[],
  holds: (actual: number, wanted: number) => boolean,
): boolean {
  const whole = /^[+-]?\d+$/
  if (actual === undefined || values.length !== 1 || !whole.test(actual) || !whole.test(values[0]!))
    return false
  return holds(Number(actual), Number(values[0]))
}
