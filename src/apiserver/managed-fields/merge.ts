// A configuration laid over an object. Upstream: structured-merge-diff typed/merge.go.
import { entryShape, isMap, itemsOf, resolve, type Shape, ShapeError } from './shape.ts'

/** What `over` names wins; the result shares parts with both. Throws ShapeError. */
export function merge(under: unknown, over: unknown, declared: Shape): unknown {
  if (over === undefined) return under
  if (under === undefined || under === null) return over
  const shape = resolve(declared, under, over)
  if (shape.is === 'struct' || shape.is === 'map')
    return isMap(under) && isMap(over) ? mergeEntries(under, over, shape) : over
  if (shape.is === 'set' || shape.is === 'keyed')
    return Array.isArray(under) && Array.isArray(over) ? mergeItems(under, over, shape) : over
  return over
}

function mergeEntries(
  under: Record<string, unknown>,
  over: Record<string, unknown>,
  shape: Shape & { is: 'struct' | 'map' },
): Record<string, unknown> {
  const merged = { ...under }
  for (const [name, value] of Object.entries(over)) {
    const of = entryShape(shape, name)
    merged[name] = of ? merge(under[name], value, of) : value
  }
  return merged
}

/** The configuration's items keep their order; items that only the object has come as early as its own order allows. */
function mergeItems(
  under: readonly unknown[],
  over: readonly unknown[],
  shape: Shape & { is: 'set' | 'keyed' },
): unknown[] {
  const old = itemsOf(under, shape)
  const wanted = itemsOf(over, shape)
  for (const [element, items] of wanted) {
    if (items.length > 1) throw new ShapeError(`duplicate entries for key [${element.slice(2)}]`)
  }
  const oldOrder = [...old.keys()]
  const shared = [...wanted.keys()].filter(element => old.has(element))
  const merged: unknown[] = []
  let at = 0
  for (const [element, [item]] of wanted) {
    for (; at < oldOrder.length && oldOrder[at] !== shared[0]; at++) {
      if (!wanted.has(oldOrder[at]!)) merged.push(...old.get(oldOrder[at]!)!)
    }
    if (element === shared[0]) shared.shift()
    const match = old.get(element)
    const isSingle = match?.length === 1 && shape.is === 'keyed'
    merged.push(isSingle ? merge(match[0], item, shape.of) : item)
  }
  for (; at < oldOrder.length; at++) {
    if (!wanted.has(oldOrder[at]!)) merged.push(...old.get(oldOrder[at]!)!)
  }
  return merged
}
