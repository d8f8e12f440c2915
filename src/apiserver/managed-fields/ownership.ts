// What a write means for who owns which field, as pure functions: an update takes what it changes; an apply declares
// all it wants, conflicts with other owners, and removes what it no longer names.
// Upstream: structured-merge-diff merge/update.go; KEP-555 (server-side apply).
import { type Comparison, compare } from './compare.ts'
import {
  difference,
  EMPTY,
  type FieldSet,
  intersection,
  isEmpty,
  type Path,
  paths,
  union,
  without,
} from './field-set.ts'
import { keyOf, type ManagerId, type Managers, type Ownership } from './managers.ts'
import { merge } from './merge.ts'
import { removeItems, withNamedFields } from './remove-items.ts'
import type { Shape } from './shape.ts'
import { toFieldSet } from './to-field-set.ts'

export interface Context {
  shape: Shape
  /** Fields that nobody owns, or that this endpoint cannot set. */
  ignored: FieldSet
  /** Of this write, as managedFields shows it. */
  time: string
}

export interface Conflict {
  manager: ManagerId
  path: Path
}

/** After an update by `by` from `before` to `after`. Throws ShapeError. */
export function ownersAfterUpdate(
  before: unknown,
  after: unknown,
  managers: Managers,
  by: ManagerId,
  { shape, ignored, time }: Context,
): Managers {
  const changes = compare(before, after, shape, ignored)
  const changed = union(changes.added, changes.modified)
  const gone = changes.removed
  if (isEmpty(changed) && isEmpty(gone)) return managers
  const left = takeAway(managers, changed, gone)
  if (isEmpty(changed)) return left
  const key = keyOf(by)
  const own = left.get(key)?.set ?? EMPTY
  return new Map(left).set(key, { ...by, set: union(own, changed), time })
}

/** From everybody. */
function takeAway(
  managers: Managers,
  changed: FieldSet,
  gone: FieldSet,
  except?: string,
): Map<string, Ownership> {
  const left = new Map<string, Ownership>()
  for (const [key, own] of managers) {
    const set = key === except ? own.set : difference(difference(own.set, changed), gone)
    if (!isEmpty(set)) left.set(key, set === own.set ? own : { ...own, set })
  }
  return left
}

export interface Applied {
  /** Not yet decoded; undefined when the conflicts stand. */
  object?: unknown
  managers: Managers
  conflicts: Conflict[]
}

/** `config` applied by `by` to `live`. Throws ShapeError. */
export function applyConfiguration(
  live: unknown,
  config: unknown,
  managers: Managers,
  by: ManagerId,
  force: boolean,
  context: Context,
): Applied {
  const { shape, ignored, time } = context
  const key = keyOf(by)
  const last = managers.get(key)
  const set = without(toFieldSet(config, shape), ignored)
  const withOwn: Managers = new Map(managers).set(key, { ...by, set, time: last?.time })
  const object = prune(merge(live, config, shape), withOwn, last?.set ?? EMPTY, shape)
  const changes = compare(live, object, shape, ignored)
  const conflicts = force ? [] : findConflicts(withOwn, changes, key)
  if (conflicts.length > 0) return { managers, conflicts }
  const left = takeAway(withOwn, union(changes.added, changes.modified), changes.removed, key)
  const isSame =
    last !== undefined &&
    isUnchanged(changes) &&
    isEmpty(difference(set, last.set)) &&
    isEmpty(difference(last.set, set))
  if (!isEmpty(set)) left.set(key, { ...by, set, time: isSame ? last.time : time })
  return { object, managers: left, conflicts: [] }
}

const isUnchanged = ({ added, removed, modified }: Comparison) =>
  isEmpty(added) && isEmpty(removed) && isEmpty(modified)

function findConflicts(managers: Managers, { added, modified }: Comparison, except: string): Conflict[] {
  const changed = union(added, modified)
  return [...managers].flatMap(([key, own]) =>
    key === except ? [] : paths(intersection(own.set, changed)).map(path => ({ manager: own, path })),
  )
}

/** Takes out what the applier named last time, unless it still names it or somebody else owns it. */
function prune(merged: unknown, managers: Managers, last: FieldSet, shape: Shape): unknown {
  if (isEmpty(last)) return merged
  const named = (set: FieldSet) => withNamedFields(set, shape)
  const owned = [...managers.values()].reduce((all, { set }) => union(all, set), EMPTY)
  const mergedFields = named(toFieldSet(merged, shape))
  const fieldsOf = (value: unknown) => (value === undefined ? EMPTY : named(toFieldSet(value, shape)))
  const without1 = removeItems(merged, named(last), shape)
  const withOwned = removeItems(
    merged,
    difference(mergedFields, union(fieldsOf(without1), named(owned))),
    shape,
  )
  // What went along with a removed parent but was never the applier's comes back.
  const gone = intersection(difference(mergedFields, fieldsOf(withOwned)), named(last))
  return removeItems(merged, gone, shape)
}
