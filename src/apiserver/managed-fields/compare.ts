// Which fields differ between two states of an object. Upstream: structured-merge-diff typed/compare.go.
import { deepEqual } from '../registry/deep-equal.ts'
import { type FieldSet, FieldSetBuilder } from './field-set.ts'
import { entryShape, isMap, itemsOf, resolve, type Shape } from './shape.ts'

export interface Comparison {
  added: FieldSet
  removed: FieldSet
  modified: FieldSet
}

/** `ignored` fields, and what is below them, count as equal. Throws ShapeError. */
export function compare(before: unknown, after: unknown, shape: Shape, ignored: FieldSet): Comparison {
  const comparer = new Comparer()
  comparer.compare(before, after, shape, [], ignored)
  const { added, removed, modified } = comparer
  return { added: added.build(), removed: removed.build(), modified: modified.build() }
}

class Comparer {
  readonly added = new FieldSetBuilder()
  readonly removed = new FieldSetBuilder()
  readonly modified = new FieldSetBuilder()

  compare(before: unknown, after: unknown, declared: Shape, path: string[], ignored?: FieldSet): void {
    if (before === after || ignored?.member) return
    // Most of an object stays as it is: equal parts are not taken apart.
    if (before !== undefined && after !== undefined && deepEqual(before, after)) return
    const shape = resolve(declared, before, after)
    if (shape.is === 'leaf' || (isNothing(before) && isNothing(after))) {
      this.#leaf(before, after, path)
      return
    }
    if (shape.is === 'struct' || shape.is === 'map') this.#entries(before, after, shape, path, ignored)
    else this.#items(before, after, shape, path)
    if (before === undefined) this.added.insert(path)
    else if (after === undefined) this.removed.insert(path)
  }

  #leaf(before: unknown, after: unknown, path: string[]): void {
    if (before === undefined) this.added.insert(path)
    else if (after === undefined) this.removed.insert(path)
    else if (!deepEqual(before, after)) this.modified.insert(path)
  }

  #entries(
    before: unknown,
    after: unknown,
    shape: Shape & { is: 'struct' | 'map' },
    path: string[],
    ignored?: FieldSet,
  ): void {
    const old = entriesOf(before, shape)
    const current = entriesOf(after, shape)
    for (const name of new Set([...Object.keys(old), ...Object.keys(current)])) {
      const of = entryShape(shape, name)
      if (!of) continue
      const element = `f:${name}`
      path.push(element)
      this.compare(old[name], current[name], of, path, ignored?.children.get(element))
      path.pop()
    }
  }

  #items(before: unknown, after: unknown, shape: Shape & { is: 'set' | 'keyed' }, path: string[]): void {
    const old = itemsOf(Array.isArray(before) ? before : [], shape)
    const current = itemsOf(Array.isArray(after) ? after : [], shape)
    for (const element of new Set([...old.keys(), ...current.keys()])) {
      const [left = [], right = []] = [old.get(element), current.get(element)]
      path.push(element)
      const isSingle = left.length < 2 && right.length < 2 && shape.is === 'keyed'
      if (isSingle) this.compare(left[0], right[0], shape.of, path)
      // Items of a set, and those that a list has twice, are compared as one piece.
      else this.#leaf(pieceOf(left), pieceOf(right), path)
      path.pop()
    }
  }
}

function entriesOf(value: unknown, shape: Shape): Record<string, unknown> {
  if (!isMap(value)) return {}
  const missing = shape.is === 'struct' ? shape.constant.filter(name => !(name in value)) : []
  return missing.length === 0 ? value : { ...value, ...Object.fromEntries(missing.map(name => [name, {}])) }
}

const pieceOf = (items: readonly unknown[]) => (items.length === 0 ? undefined : items)

const isNothing = (value: unknown) =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) ? value.length === 0 : isMap(value) && Object.keys(value).length === 0)
