// A set of fields of one object, as a trie over path elements; immutable. An element is written as FieldsV1 writes
// it: 'f:NAME' a field, 'k:{…}' a list item by its keys, 'v:…' an item of a set by its value, 'i:N' by its position.
// Source: sigs.k8s.io/structured-merge-diff fieldpath.Set and its serialization; meta/v1 FieldsV1.

export interface FieldSet {
  /** The path that leads here is itself in the set. */
  readonly member: boolean
  readonly children: ReadonlyMap<string, FieldSet>
}

/** FieldsV1 as JSON: '.' stands for the path itself, an empty object for a path without deeper ones. */
export interface FieldsV1 {
  [element: string]: FieldsV1
}

export type Path = readonly string[]

const NO_CHILDREN: ReadonlyMap<string, FieldSet> = new Map()
export const EMPTY: FieldSet = { member: false, children: NO_CHILDREN }
const LEAF: FieldSet = { member: true, children: NO_CHILDREN }

export const isEmpty = (set: FieldSet): boolean => !set.member && set.children.size === 0

const made = (member: boolean, children: ReadonlyMap<string, FieldSet>): FieldSet => {
  if (children.size > 0) return { member, children }
  return member ? LEAF : EMPTY
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a)) return b
  if (isEmpty(b)) return a
  const children = new Map(a.children)
  for (const [element, child] of b.children)
    children.set(element, union(children.get(element) ?? EMPTY, child))
  return made(a.member || b.member, children)
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>()
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    const common = other && intersection(child, other)
    if (common && !isEmpty(common)) children.set(element, common)
  }
  return made(a.member && b.member, children)
}

/** Of `a` without the members of `b`; what lies below a member of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a
  const children = new Map<string, FieldSet>()
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    const rest = other ? difference(child, other) : child
    if (!isEmpty(rest)) children.set(element, rest)
  }
  return made(a.member && !b.member, children)
}

/** Of `a` without the members of `b` and all that lies below them. */
export function without(a: FieldSet, b: FieldSet): FieldSet {
  if (b.member) return EMPTY
  const children = new Map<string, FieldSet>()
  for (const [element, child] of a.children) {
    const other = b.children.get(element)
    const rest = other ? without(child, other) : child
    if (!isEmpty(rest)) children.set(element, rest)
  }
  return made(a.member, children)
}

export function isEqual(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true
  if (a.member !== b.member || a.children.size !== b.children.size) return false
  return [...a.children].every(([element, child]) => {
    const other = b.children.get(element)
    return other !== undefined && isEqual(child, other)
  })
}

/** Every member, in the order in which FieldsV1 is written. */
export function paths(set: FieldSet, before: Path = []): Path[] {
  const below = sorted(set).flatMap(([element, child]) => paths(child, [...before, element]))
  return set.member ? [before, ...below] : below
}

export function setOf(...members: Path[]): FieldSet {
  const builder = new FieldSetBuilder()
  for (const path of members) builder.insert(path)
  return builder.build()
}

interface Node {
  member: boolean
  children: Map<string, Node>
}

/** Collects paths; `build` once at the end. */
export class FieldSetBuilder {
  readonly #root: Node = { member: false, children: new Map() }

  insert(path: Path): void {
    let node = this.#root
    for (const element of path) {
      let next = node.children.get(element)
      if (!next) {
        next = { member: false, children: new Map() }
        node.children.set(element, next)
      }
      node = next
    }
    node.member = true
  }

  build(): FieldSet {
    return this.#root
  }
}

export function toFieldsV1(set: FieldSet): FieldsV1 {
  const below = Object.fromEntries(
    sorted(set).map(([element, child]) => [element, child.children.size > 0 ? toFieldsV1(child) : {}]),
  )
  return set.member && set.children.size > 0 ? { '.': {}, ...below } : below
}

/** Throws when it is no FieldsV1. */
export function parseFieldsV1(fields: unknown): FieldSet {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new Error('error decoding fieldsV1: not an object')
  const { '.': self, ...below } = fields as FieldsV1
  const children = new Map<string, FieldSet>()
  for (const [element, child] of Object.entries(below)) {
    if (!/^[fkvi]:/.test(element)) throw new Error(`error decoding fieldsV1: ${JSON.stringify(element)}`)
    const set = parseFieldsV1(child)
    children.set(element, set.children.size > 0 ? set : LEAF)
  }
  return made(self !== undefined, children)
}

const RANK: Record<string, number> = { f: 0, k: 1, v: 2, i: 3 }

function sorted({ children }: FieldSet): [string, FieldSet][] {
  return [...children].sort(([a], [b]) => RANK[a[0]!]! - RANK[b[0]!]! || (a < b ? -1 : a > b ? 1 : 0))
}

/** '.spec.containers[name="nginx"].image': how conflicts name a field. */
export function pathText(path: Path): string {
  return path.map(elementText).join('')
}

function elementText(element: string): string {
  const value = element.slice(2)
  if (element.startsWith('f:')) return `.${value}`
  if (element.startsWith('i:')) return `[${value}]`
  if (element.startsWith('v:')) return `[=${value}]`
  const keys = Object.entries(JSON.parse(value) as Record<string, unknown>)
  return `[${keys.map(([name, key]) => `${name}=${JSON.stringify(key)}`).join(',')}]`
}
