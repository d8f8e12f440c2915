// What a quota's status must say. Pure. Upstream: CalculateUsage, syncResourceQuota.
import type { KubeObject } from '../../api/kube-object.ts'
import { Quantity } from '../../api/quantity.ts'
import { addAmounts, amountsToList, type ResourceAmounts } from '../../api/quota/amounts.ts'
import type { QuotaEvaluator } from '../../api/quota/evaluator.ts'
import { scopesOf } from '../../api/quota/scopes.ts'
import type { ResourceQuota, ResourceQuotaStatus } from '../../api/types/core-v1.ts'

/** The objects of the quota's namespace that one evaluator counts. */
export interface Counted {
  evaluator: QuotaEvaluator
  objects: readonly KubeObject[]
}

/** `now`: epoch milliseconds. */
export function quotaStatus(
  { spec }: ResourceQuota,
  counted: readonly Counted[],
  now: number,
): ResourceQuotaStatus {
  const hard = spec.hard ?? {}
  const scopes = scopesOf(spec)
  let total: ResourceAmounts = new Map()
  for (const { evaluator, objects } of counted) {
    for (const object of objects) {
      if (!scopes.every(scope => evaluator.matchesScope(scope, object))) continue
      total = addAmounts(total, evaluator.usage(object, now))
    }
  }
  const used = new Map(Object.keys(hard).map(name => [name, total.get(name) ?? Quantity.zero]))
  return { hard: { ...hard }, used: amountsToList(used) }
}

/** Something is used less than was written before. */
export function usesLess(status: ResourceQuotaStatus, before: ResourceQuotaStatus): boolean {
  return Object.entries(status.used ?? {}).some(([name, amount]) => {
    const old = before.used?.[name]
    return old !== undefined && Quantity.parse(amount).compare(Quantity.parse(old)) < 0
  })
}

export function sameStatus(one: ResourceQuotaStatus, two: ResourceQuotaStatus): boolean {
  return sameAmounts(one.hard, two.hard) && sameAmounts(one.used, two.used)
}

function sameAmounts(
  one: Record<string, string> | undefined,
  two: Record<string, string> | undefined,
): boolean {
  if (!one || !two) return one === two
  const names = Object.keys(one)
  if (names.length !== Object.keys(two).length) return false
  return names.every(
    name => two[name] !== undefined && Quantity.parse(one[name]!).compare(Quantity.parse(two[name]!)) === 0,
  )
}
