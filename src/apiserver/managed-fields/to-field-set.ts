// The fields that a configuration names. Upstream: structured-merge-diff typed/tofieldset.go.
import { type FieldSet, FieldSetBuilder, pathText } from './field-set.ts'
import { entryShape, isMap, itemsOf, resolve, type Shape, ShapeError } from './shape.ts'

/** Throws ShapeError for a field that the schema does not have, with the path as kubectl's users know it. */
export function toFieldSet(value: unknown, shape: Shape): FieldSet {
  const builder = new FieldSetBuilder()
  collect(value, shape, [], builder)
  return builder.build()
}

function collect(value: unknown, declared: Shape, path: string[], found: FieldSetBuilder): void {
  const shape = resolve(declared, value)
  if (shape.is === 'leaf') found.insert(path)
  else if (shape.is === 'struct' || shape.is === 'map') {
    if (isMap(value)) collectEntries(value, shape, path, found)
  } else if (Array.isArray(value)) collectItems(value, shape, path, found)
}

function collectEntries(
  value: Record<string, unknown>,
  shape: Shape & { is: 'struct' | 'map' },
  path: string[],
  found: FieldSetBuilder,
): void {
  for (const [name, entry] of Object.entries(value)) {
    const below = [...path, `f:${name}`]
    const of = entryShape(shape, name)
    if (!of) throw new ShapeError(`${pathText(below)}: field not declared in schema`)
    collect(entry, of, below, found)
    const isNothing = entry === null || (isMap(entry) && Object.keys(entry).length === 0)
    if (isNothing || shape.is === 'map') found.insert(below)
  }
}

function collectItems(
  list: readonly unknown[],
  shape: Shape & { is: 'set' | 'keyed' },
  path: string[],
  found: FieldSetBuilder,
): void {
  for (const [element, items] of itemsOf(list, shape)) {
    const below = [...path, element]
    for (const item of items) if (shape.is === 'keyed') collect(item, shape.of, below, found)
    found.insert(below)
  }
}
