// The rules of roles that collect those of others by label. Pure.
// Upstream: pkg/controller/clusterroleaggregation.
import { isDeepStrictEqual } from 'node:util'
import { matcherOf } from '../labels.ts'
import type { AggregationRule, PolicyRule } from '../types/rbac-v1.ts'

interface Role {
  metadata: { name: string; labels?: Record<string, string> }
  rules?: PolicyRule[]
  aggregationRule?: AggregationRule
}

/** The roles with collected rules filled in. Roles may collect from roles that collect themselves. */
export function aggregateRoles<T extends Role>(roles: readonly T[]): T[] {
  let current = [...roles]
  // Each round carries rules one step further; there are no more steps than roles.
  for (let round = 0; round < roles.length; round++) {
    const next = current.map(role => withCollected(role, current))
    if (isDeepStrictEqual(next, current)) break
    current = next
  }
  return current
}

/** One role with what it collects from the others; itself when it collects nothing. */
export function withCollected<T extends Role>(role: T, all: readonly T[]): T {
  if (!role.aggregationRule) return role
  const sorted = [...all].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const rules: PolicyRule[] = []
  for (const selector of role.aggregationRule.clusterRoleSelectors ?? []) {
    const selects = matcherOf(selector)
    for (const other of sorted) {
      if (other.metadata.name === role.metadata.name || !selects(other.metadata.labels)) continue
      for (const rule of other.rules ?? [])
        if (!rules.some(known => isDeepStrictEqual(known, rule))) rules.push(rule)
    }
  }
  return { ...role, rules }
}
