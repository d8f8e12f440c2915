// Unified differences of texts, three lines of context, as difflib of Python (and its copy in Go) makes them.

const CONTEXT = 3
/** Texts this long ignore lines that occur all the time when they look for what is the same. */
const MANY_LINES = 200

interface Block {
  a: number
  b: number
  size: number
}

interface Change {
  same: boolean
  /** First line and the line after the last, in each text. */
  a: [number, number]
  b: [number, number]
}

/** '' when the texts are the same. Without file names. */
export function unifiedDiff(before: string, after: string): string {
  const [a, b] = [before.split('\n'), after.split('\n')]
  return hunks(changes(blocks(a, b), a.length, b.length))
    .map(hunk => printed(hunk, a, b))
    .join('')
}

/** Runs of lines that both texts share, found longest first. */
function blocks(a: readonly string[], b: readonly string[]): Block[] {
  const places = placesOf(b)
  const found: Block[] = []
  const search = (aLow: number, aHigh: number, bLow: number, bHigh: number): void => {
    const block = longest(a, b, places, [aLow, aHigh], [bLow, bHigh])
    if (block.size === 0) return
    search(aLow, block.a, bLow, block.b)
    found.push(block)
    search(block.a + block.size, aHigh, block.b + block.size, bHigh)
  }
  search(0, a.length, 0, b.length)
  return found
}

function placesOf(lines: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>()
  for (const [index, line] of lines.entries()) {
    const known = places.get(line)
    if (known) known.push(index)
    else places.set(line, [index])
  }
  if (lines.length < MANY_LINES) return places
  const most = Math.floor(lines.length / 100) + 1
  for (const [line, list] of places) if (list.length > most) places.delete(line)
  return places
}

/** The longest common run within the two ranges, the first of equals; stretched over lines too common to be looked for. */
function longest(
  a: readonly string[],
  b: readonly string[],
  places: ReadonlyMap<string, readonly number[]>,
  [aLow, aHigh]: [number, number],
  [bLow, bHigh]: [number, number],
): Block {
  let best: Block = { a: aLow, b: bLow, size: 0 }
  let endingAt = new Map<number, number>()
  for (let index = aLow; index < aHigh; index++) {
    const next = new Map<number, number>()
    for (const place of places.get(a[index]!) ?? []) {
      if (place < bLow) continue
      if (place >= bHigh) break
      const size = (endingAt.get(place - 1) ?? 0) + 1
      next.set(place, size)
      if (size > best.size) best = { a: index - size + 1, b: place - size + 1, size }
    }
    endingAt = next
  }
  let { a: start, b: other, size } = best
  while (start > aLow && other > bLow && a[start - 1] === b[other - 1]) {
    start--
    other--
    size++
  }
  while (start + size < aHigh && other + size < bHigh && a[start + size] === b[other + size]) size++
  return { a: start, b: other, size }
}

function changes(common: readonly Block[], aLength: number, bLength: number): Change[] {
  const list: Change[] = []
  let [a, b] = [0, 0]
  for (const block of [...merged(common), { a: aLength, b: bLength, size: 0 }]) {
    if (a < block.a || b < block.b) list.push({ same: false, a: [a, block.a], b: [b, block.b] })
    a = block.a + block.size
    b = block.b + block.size
    if (block.size > 0) list.push({ same: true, a: [block.a, a], b: [block.b, b] })
  }
  return list
}

/** Runs that touch in both texts are one. */
function merged(common: readonly Block[]): Block[] {
  const list: Block[] = []
  for (const block of common) {
    const last = list.at(-1)
    if (last && last.a + last.size === block.a && last.b + last.size === block.b) last.size += block.size
    else list.push({ ...block })
  }
  return list
}

/** Changes with the context around them; context that is long on both sides parts two hunks. */
function hunks(list: readonly Change[]): Change[][] {
  const groups: Change[][] = []
  let group: Change[] = []
  for (const [index, change] of list.entries()) {
    if (!change.same) {
      group.push(change)
      continue
    }
    const length = change.a[1] - change.a[0]
    const [first, last] = [index === 0, index === list.length - 1]
    if (first) group.push(cut(change, Math.max(0, length - CONTEXT), length))
    else if (last) group.push(cut(change, 0, Math.min(length, CONTEXT)))
    else if (length <= 2 * CONTEXT) group.push(change)
    else {
      groups.push([...group, cut(change, 0, CONTEXT)])
      group = [cut(change, length - CONTEXT, length)]
    }
  }
  if (group.some(change => !change.same)) groups.push(group)
  return groups
}

const cut = ({ same, a, b }: Change, from: number, to: number): Change => ({
  same,
  a: [a[0] + from, a[0] + to],
  b: [b[0] + from, b[0] + to],
})

function printed(hunk: readonly Change[], a: readonly string[], b: readonly string[]): string {
  const [first, last] = [hunk[0]!, hunk.at(-1)!]
  const lines = [`@@ -${range(first.a[0], last.a[1])} +${range(first.b[0], last.b[1])} @@`]
  for (const change of hunk) {
    const old = a.slice(...change.a)
    if (change.same) lines.push(...old.map(line => ` ${line}`))
    else lines.push(...old.map(line => `-${line}`), ...b.slice(...change.b).map(line => `+${line}`))
  }
  return `${lines.join('\n')}\n`
}

function range(start: number, stop: number): string {
  const length = stop - start
  if (length === 1) return String(start + 1)
  return `${length === 0 ? start : start + 1},${length}`
}
