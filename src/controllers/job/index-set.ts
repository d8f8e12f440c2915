// Sets of completion indexes, kept and written as ranges ('0-2,5'): a Job may have a hundred thousand of them.
// Upstream: pkg/controller/job/indexed_job_utils.go orderedIntervals.

interface Interval {
  first: number
  last: number
}

/** Immutable. */
export class IndexSet {
  static readonly empty = new IndexSet([])
  readonly #intervals: readonly Interval[]

  private constructor(intervals: readonly Interval[]) {
    this.#intervals = intervals
  }

  /** In any order. */
  static of(indexes: Iterable<number>): IndexSet {
    return IndexSet.empty.with(indexes)
  }

  /** Reads '0-2,5'. Indexes that are not below `completions` are left out; what cannot be read ends the list. */
  static parse(text: string | undefined, completions: number): IndexSet {
    if (!text) return IndexSet.empty
    const intervals: Interval[] = []
    for (const part of text.split(',')) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part)
      if (!match) break
      const first = Number(match[1])
      const last = Math.min(Number(match[2] ?? match[1]), completions - 1)
      if (first >= completions || last < first) break
      intervals.push({ first, last })
    }
    return new IndexSet(joined(intervals))
  }

  has(index: number): boolean {
    return this.#intervals.some(({ first, last }) => first <= index && index <= last)
  }

  get size(): number {
    return this.#intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  }

  /** How many are in both sets. */
  overlap(other: IndexSet): number {
    let count = 0
    for (const one of this.#intervals) {
      for (const two of other.#intervals) {
        count += Math.max(0, Math.min(one.last, two.last) - Math.max(one.first, two.first) + 1)
      }
    }
    return count
  }

  with(indexes: Iterable<number>): IndexSet {
    const added = [...indexes].map(index => ({ first: index, last: index }))
    return added.length === 0 ? this : new IndexSet(joined([...this.#intervals, ...added]))
  }

  union(other: IndexSet): IndexSet {
    return new IndexSet(joined([...this.#intervals, ...other.#intervals]))
  }

  /** The lowest `count` indexes below `completions` that are not in the set. */
  firstMissing(count: number, completions: number): number[] {
    const missing: number[] = []
    let candidate = 0
    for (const { first, last } of [...this.#intervals, { first: completions, last: completions }]) {
      const end = Math.min(first, completions)
      for (; candidate < end && missing.length < count; candidate++) missing.push(candidate)
      candidate = Math.max(candidate, last + 1)
    }
    return missing
  }

  /** As in status.completedIndexes: three in a row and more are written as a range, and two as '1,2'. */
  toString(): string {
    return this.#intervals
      .map(({ first, last }) => {
        if (first === last) return String(first)
        return first + 1 === last ? `${first},${last}` : `${first}-${last}`
      })
      .join(',')
  }
}

function joined(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = []
  for (const { first, last } of [...intervals].sort((one, two) => one.first - two.first)) {
    const previous = result.at(-1)
    if (previous && first <= previous.last + 1) previous.last = Math.max(previous.last, last)
    else result.push({ first, last })
  }
  return result
}
