// Sets of ranges as the kernel wants them: no two overlap. Ends are inclusive.

export type Range = readonly [first: number, last: number]

/** Addresses by ports. */
export interface Box {
  addresses: Range
  ports: Range
}

/** The same numbers in as few ranges as possible, in order. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: [number, number][] = []
  for (const [first, last] of ranges.toSorted(([a], [b]) => a - b)) {
    const before = merged.at(-1)
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last)
    else merged.push([first, last])
  }
  return merged
}

/** What is left of a range. */
export function subtractRanges(range: Range, holes: readonly Range[]): Range[] {
  const left: Range[] = []
  let next = range[0]
  for (const [first, last] of mergeRanges(holes)) {
    if (last < next || first > range[1]) continue
    if (first > next) left.push([next, first - 1])
    next = last + 1
  }
  if (next <= range[1]) left.push([next, range[1]])
  return left
}

/** Boxes that cover the same and do not overlap: ports are cut wherever one begins or ends. */
export function disjointBoxes(boxes: readonly Box[]): Box[] {
  const cuts = [...new Set(boxes.flatMap(({ ports: [first, last] }) => [first, last + 1]))].toSorted(
    (a, b) => a - b,
  )
  const strips = cuts.slice(0, -1).map((first, index) => {
    const ports: Range = [first, cuts[index + 1]! - 1]
    const inside = boxes.filter(box => box.ports[0] <= ports[0] && ports[1] <= box.ports[1])
    return { ports, addresses: mergeRanges(inside.map(box => box.addresses)) }
  })
  return strips.flatMap(({ ports, addresses }) => addresses.map(range => ({ addresses: range, ports })))
}
