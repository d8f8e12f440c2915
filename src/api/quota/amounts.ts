// Arithmetic over lists of amounts, as quotas need it. Upstream: apiserver pkg/quota/v1/resources.go. Pure.
import type { ResourceAmounts } from '../pod/resources.ts'
import { Quantity } from '../quantity.ts'

export type { ResourceAmounts }

export const one = Quantity.fromValue(1)

export function addAmounts(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  const sum = new Map(a)
  for (const [name, amount] of b) sum.set(name, sum.get(name)?.add(amount) ?? amount)
  return sum
}

/** Names that are only in `b` come out negative. */
export function subtractAmounts(a: ResourceAmounts, b: ResourceAmounts): ResourceAmounts {
  const difference = new Map(a)
  for (const [name, amount] of b) difference.set(name, (difference.get(name) ?? Quantity.zero).sub(amount))
  return difference
}

/** Only the named ones. */
export function maskAmounts(amounts: ResourceAmounts, names: Iterable<string>): ResourceAmounts {
  const wanted = new Set(names)
  return new Map([...amounts].filter(([name]) => wanted.has(name)))
}

/** Names whose amount is more than allowed; what is not limited is not exceeded. */
export function exceededNames(amounts: ResourceAmounts, limits: ResourceAmounts): string[] {
  return [...amounts]
    .filter(([name, amount]) => {
      const limit = limits.get(name)
      return limit !== undefined && amount.compare(limit) > 0
    })
    .map(([name]) => name)
}

export function amountsToList(amounts: ResourceAmounts): Record<string, string> {
  return Object.fromEntries([...amounts].map(([name, amount]) => [name, amount.toString()]))
}

/** 'cpu=1,memory=2Gi', in order of names. */
export function amountsText(amounts: ResourceAmounts): string {
  return [...amounts.keys()]
    .sort()
    .map(name => `${name}=${amounts.get(name)}`)
    .join(',')
}
