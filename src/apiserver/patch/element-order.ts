// In which order a merged list stands. Upstream: strategicpatch normalizeElementOrder, mergeSortedSlice.

/** What makes two elements the same: the merge key's value, or the scalar itself. */
export type Identity = (element: unknown) => unknown

/**
 * Elements named by `patchOrder` come in that order, the others as they stood on the server; where both kinds meet,
 * those known to the server keep their order and unknown ones come first.
 */
export function orderElements(
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  identity: Identity,
): unknown[] {
  const inPatch = positions(patchOrder, identity)
  const onServer = positions(serverOrder, identity)
  const at = (places: Map<unknown, number>, element: unknown) => places.get(identity(element))
  const byPatch = merged.filter(element => at(inPatch, element) !== undefined)
  const others = merged.filter(element => at(inPatch, element) === undefined)
  byPatch.sort((a, b) => (at(inPatch, a) as number) - (at(inPatch, b) as number))
  others.sort(
    (a, b) => (at(onServer, a) ?? Number.MAX_SAFE_INTEGER) - (at(onServer, b) ?? Number.MAX_SAFE_INTEGER),
  )
  const result: unknown[] = []
  let next = 0
  for (const element of byPatch) {
    const place = at(onServer, element)
    while (place !== undefined && next < others.length && isBefore(at(onServer, others[next]), place)) {
      result.push(others[next++])
    }
    result.push(element)
  }
  return [...result, ...others.slice(next)]
}

const isBefore = (place: number | undefined, limit: number) => place !== undefined && place < limit

function positions(list: readonly unknown[], identity: Identity): Map<unknown, number> {
  const places = new Map<unknown, number>()
  for (const [index, element] of list.entries()) {
    const id = identity(element)
    if (!places.has(id)) places.set(id, index)
  }
  return places
}
