import type { Change } from './journal.ts'
import type { KeyIndex } from './key-index.ts'
import type { Stored } from './storage.ts'

/**
 * A page of the store as it was before the changes in `since` (oldest first): the current versions with
 * those changes taken back.
 */
export function listAt(
  current: KeyIndex<Stored>,
  since: readonly Change[],
  prefix: string,
  { limit = Number.POSITIVE_INFINITY, after }: { limit?: number | undefined; after?: string | undefined },
): { items: Stored[]; remaining: number } {
  const before = versionsBefore(since, prefix, after)
  const restored = [...before.values()]
    .filter(stored => stored !== undefined)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const stillThere = current.count(prefix, after) - [...before.keys()].filter(key => current.get(key)).length
  // No more than `limit` unchanged items can be on the page; the changed ones among them are skipped.
  const candidates = current.slice(prefix, after, limit + before.size).filter(({ key }) => !before.has(key))
  const items = merge(candidates, restored, limit)
  return { items, remaining: stillThere + restored.length - items.length }
}

/** For every key under the prefix that was changed: what stood there before. */
function versionsBefore(
  since: readonly Change[],
  prefix: string,
  after: string | undefined,
): Map<string, Stored | undefined> {
  const before = new Map<string, Stored | undefined>()
  for (const { key, previous } of since) {
    if (!key.startsWith(prefix) || (after !== undefined && key <= after) || before.has(key)) continue
    before.set(
      key,
      previous && { key, object: previous, revision: Number(previous.metadata.resourceVersion) },
    )
  }
  return before
}

function merge(a: readonly Stored[], b: readonly Stored[], limit: number): Stored[] {
  const merged: Stored[] = []
  let [atA, atB] = [0, 0]
  while (merged.length < limit) {
    const [fromA, fromB] = [a[atA], b[atB]]
    if (fromA && (!fromB || fromA.key < fromB.key)) {
      merged.push(fromA)
      atA++
    } else if (fromB) {
      merged.push(fromB)
      atB++
    } else break
  }
  return merged
}
