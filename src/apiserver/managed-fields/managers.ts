// metadata.managedFields: read into sets by manager, and written back.
// Upstream: apimachinery util/managedfields/internal (managedfields.go, capmanagers.go).
import type { ManagedFieldsEntry } from '../../api/types/meta-v1.ts'
import {
  EMPTY,
  type FieldSet,
  type FieldsV1,
  isEmpty,
  parseFieldsV1,
  toFieldsV1,
  union,
} from './field-set.ts'

/** Who wrote, in which way: the parts of an entry that tell managers apart. */
export interface ManagerId {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  subresource: string
}

export interface Ownership extends ManagerId {
  set: FieldSet
  /** As in the entry; undefined for one that has none. */
  time: string | undefined
}

/** By the key of the manager. */
export type Managers = ReadonlyMap<string, Ownership>

/** Upstream: DefaultMaxUpdateManagers. */
const MOST_UPDATERS = 10
const OLD_UPDATES = 'ancient-changes'

/** An applier stays the same whatever version it applies with. */
export function keyOf({ manager, operation, apiVersion, subresource }: ManagerId): string {
  return JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource])
}

/** Entries are frozen and live as long as the stored object: each is parsed once. */
const parsed = new WeakMap<object, FieldSet>()

/** Throws for entries that are not well formed. */
export function readManagers(entries: readonly ManagedFieldsEntry[]): Managers {
  const managers = new Map<string, Ownership>()
  for (const entry of entries) {
    const { manager = '', operation, apiVersion = '', subresource = '', time, fieldsV1, fieldsType } = entry
    if (operation !== 'Apply' && operation !== 'Update')
      throw new Error(`error decoding managed fields: invalid operation ${JSON.stringify(operation)}`)
    if (fieldsType !== 'FieldsV1')
      throw new Error(`error decoding managed fields: invalid fieldsType ${JSON.stringify(fieldsType)}`)
    const own = { manager, operation, apiVersion, subresource, set: setIn(fieldsV1), time } as const
    managers.set(keyOf(own), own)
  }
  return managers
}

function setIn(fields: unknown): FieldSet {
  if (typeof fields !== 'object' || fields === null) return EMPTY
  const known = parsed.get(fields)
  if (known) return known
  const set = parseFieldsV1(fields)
  if (Object.isFrozen(fields)) parsed.set(fields, set)
  return set
}

const written = new WeakMap<FieldSet, FieldsV1>()

/** In upstream's order: appliers first, then by time, name, version and subresource. */
export function writeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()]
    .filter(({ set }) => !isEmpty(set))
    .sort(compareOwnership)
    .map(({ manager, operation, apiVersion, subresource, set, time }) => ({
      ...(manager && { manager }),
      operation,
      apiVersion,
      ...(time && { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: fieldsOf(set) as NonNullable<ManagedFieldsEntry['fieldsV1']>,
      ...(subresource && { subresource }),
    }))
}

function fieldsOf(set: FieldSet): FieldsV1 {
  let fields = written.get(set)
  if (!fields) {
    fields = toFieldsV1(set)
    written.set(set, fields)
  }
  return fields
}

function compareOwnership(a: Ownership, b: Ownership): number {
  return (
    byText(a.operation, b.operation) ||
    // Times have one form: their order as texts is theirs.
    byText(a.time ?? '', b.time ?? '') ||
    byText(a.manager, b.manager) ||
    byText(a.apiVersion, b.apiVersion) ||
    byText(a.subresource, b.subresource)
  )
}

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Joins the oldest updaters of each version, so that not more than ten stay. */
export function capUpdaters(managers: Managers): Managers {
  const updaters = [...managers].filter(([, { operation }]) => operation === 'Update')
  let count = updaters.length
  if (count <= MOST_UPDATERS) return managers
  const capped = new Map(managers)
  const firsts = new Map<string, string>()
  for (const [key, own] of updaters.sort(
    ([, a], [, b]) => byText(a.time ?? '', b.time ?? '') || byText(a.manager, b.manager),
  )) {
    if (count <= MOST_UPDATERS) break
    const first = firsts.get(own.apiVersion)
    if (first === undefined) {
      firsts.set(own.apiVersion, key)
      continue
    }
    const id = {
      manager: OLD_UPDATES,
      operation: 'Update',
      apiVersion: own.apiVersion,
      subresource: '',
    } as const
    const bucket = keyOf(id)
    const before = capped.get(bucket) ?? capped.get(first)!
    if (!capped.has(bucket)) capped.delete(first)
    capped.set(bucket, { ...id, set: union(before.set, own.set), time: own.time })
    capped.delete(key)
    count--
  }
  return capped
}
