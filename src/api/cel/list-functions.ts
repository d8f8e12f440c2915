// Lists and sets. Upstream: apiserver cel/library/lists.go, cel-go ext/sets and ext/lists.

import { isDeepStrictEqual } from 'node:util'
import type { Environment } from '@marcbachmann/cel-js'

type Ordered = bigint | number | string

const isIn = (list: readonly unknown[], value: unknown) => list.some(one => isDeepStrictEqual(one, value))

/** `sets` in expressions. */
class CelSets {}

export function registerListFunctions(environment: Environment): void {
  environment
    .registerType('kubernetes.Sets', CelSets)
    .registerConstant('sets', 'kubernetes.Sets', new CelSets())
    .registerFunction('list.isSorted(): bool', (list: Ordered[]) =>
      list.every((value, index) => index === 0 || list[index - 1]! <= value),
    )
    .registerFunction('list.sum(): dyn', (list: (bigint | number)[]) => sum(list))
    .registerFunction('list.min(): dyn', (list: Ordered[]) => extreme(list, 'min', (a, b) => a < b))
    .registerFunction('list.max(): dyn', (list: Ordered[]) => extreme(list, 'max', (a, b) => a > b))
    .registerFunction('list.indexOf(dyn): int', (list: unknown[], value: unknown) =>
      BigInt(list.findIndex(one => isDeepStrictEqual(one, value))),
    )
    .registerFunction('list.lastIndexOf(dyn): int', (list: unknown[], value: unknown) =>
      BigInt(list.findLastIndex(one => isDeepStrictEqual(one, value))),
    )
    .registerFunction('list.distinct(): list', (list: unknown[]) =>
      list.filter((value, index) => !isIn(list.slice(0, index), value)),
    )
    .registerFunction('list.flatten(): list', (list: unknown[]) => list.flat())
    .registerFunction('list.sort(): list', (list: Ordered[]) =>
      [...list].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
    )
    .registerFunction('list.reverse(): list', (list: unknown[]) => [...list].reverse())
    .registerFunction('list.slice(int, int): list', (list: unknown[], from: bigint, to: bigint) =>
      list.slice(Number(from), Number(to)),
    )
    .registerFunction(
      'kubernetes.Sets.contains(list, list): bool',
      (_: CelSets, list: unknown[], part: unknown[]) => part.every(value => isIn(list, value)),
    )
    .registerFunction(
      'kubernetes.Sets.equivalent(list, list): bool',
      (_: CelSets, a: unknown[], b: unknown[]) =>
        a.every(value => isIn(b, value)) && b.every(value => isIn(a, value)),
    )
    .registerFunction(
      'kubernetes.Sets.intersects(list, list): bool',
      (_: CelSets, a: unknown[], b: unknown[]) => a.some(value => isIn(b, value)),
    )
}

function sum(list: readonly (bigint | number)[]): bigint | number {
  if (list.every(value => typeof value === 'bigint')) return list.reduce((total, value) => total + value, 0n)
  return list.reduce<number>((total, value) => total + Number(value), 0)
}

function extreme(
  list: readonly Ordered[],
  name: string,
  isBetter: (a: Ordered, b: Ordered) => boolean,
): Ordered {
  const [first, ...rest] = list
  if (first === undefined) throw new Error(`${name} called on empty list`)
  return rest.reduce((best, value) => (isBetter(value, best) ? value : best), first)
}
