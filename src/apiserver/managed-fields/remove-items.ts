// Takes fields out of an object. Upstream: structured-merge-diff typed/remove.go and
// fieldpath.Set.EnsureNamedFieldsAreMembers.
import { EMPTY, type FieldSet } from './field-set.ts'
import { entryShape, isMap, itemsOf, resolve, type Shape } from './shape.ts'

/** Without the members of `fields`; lists and maps that become empty go too. */
export function removeItems(value: unknown, fields: FieldSet, declared: Shape): unknown {
  const shape = resolve(declared, value)
  if ((shape.is === 'struct' || shape.is === 'map') && isMap(value))
    return removeEntries(value, fields, shape)
  if ((shape.is === 'set' || shape.is === 'keyed') && Array.isArray(value))
    return removeListItems(value, fields, shape)
  return value
}

function removeEntries(
  value: Record<string, unknown>,
  fields: FieldSet,
  shape: Shape & { is: 'struct' | 'map' },
): Record<string, unknown> | undefined {
  const kept: Record<string, unknown> = {}
  for (const [name, entry] of Object.entries(value)) {
    const below = fields.children.get(`f:${name}`)
    if (below?.member) continue
    const of = entryShape(shape, name)
    const rest = below && of ? removeItems(entry, below, of) : entry
    if (rest !== undefined) kept[name] = rest
  }
  return Object.keys(kept).length > 0 || Object.keys(value).length === 0 ? kept : undefined
}

function removeListItems(
  list: readonly unknown[],
  fields: FieldSet,
  shape: Shape & { is: 'set' | 'keyed' },
): unknown[] | undefined {
  const kept: unknown[] = []
  for (const [element, items] of itemsOf(list, shape)) {
    const below = fields.children.get(element)
    if (below?.member) continue
    for (const item of items) {
      const rest = below && shape.is === 'keyed' ? removeItems(item, below, shape.of) : item
      if (rest !== undefined) kept.push(rest)
    }
  }
  return kept.length > 0 || list.length === 0 ? kept : undefined
}

/** Declared fields with members below them become members: who set all of a struct has set the struct. */
export function withNamedFields(set: FieldSet, declared: Shape): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const [element, child] of set.children) {
    const of = childShape(declared, element)
    const deeper = of ? withNamedFields(child, of) : child
    const isNamed = declared.is === 'struct' && of !== undefined && deeper.children.size > 0
    children.set(element, isNamed && !deeper.member ? { ...deeper, member: true } : deeper)
  }
  return children.size > 0 ? { member: set.member, children } : set.member ? set : EMPTY
}

function childShape(shape: Shape, element: string): Shape | undefined {
  if (shape.is === 'struct' || shape.is === 'map') return entryShape(shape, element.slice(2))
  if (shape.is === 'keyed') return shape.of
  return shape.is === 'free' ? shape : undefined
}
