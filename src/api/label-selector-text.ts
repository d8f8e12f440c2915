// A label selector as clients write it into a query. Upstream: metav1.LabelSelectorAsSelector().String().
import type { LabelSelector } from './types/meta-v1.ts'

export function labelSelectorText({ matchLabels, matchExpressions = [] }: LabelSelector): string {
  const equal = Object.entries(matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }))
  const others = matchExpressions.map(({ key, operator, values = [] }) => ({
    key,
    text: expression(key, operator, values),
  }))
  return [...equal, ...others]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ text }) => text)
    .join(',')
}

function expression(key: string, operator: string, values: readonly string[]): string {
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${[...values].sort().join(',')})`
}
