// Completion indexes as text: '0-2,5'. Upstream: validateIndexesFormat, validateFailedIndexesNotOverlapCompleted.

interface Interval {
  first: number
  last: number
}

/** What is wrong with the text, in upstream's words. */
export class IndexesError extends Error {}

/** Throws IndexesError. Answers how many indexes are named. */
export function countIndexes(text: string, completions: number): number {
  if (text === '') return 0
  let total = 0
  let previous: number | undefined
  for (const part of text.split(',')) {
    const { first, last } = parseInterval(part, completions)
    if (previous !== undefined && previous >= first) throw notIncreasing(previous, first)
    total += last - first + 1
    previous = last
  }
  return total
}

/** Throws IndexesError when an index is in both. */
export function checkDisjoint(completed: string, failed: string, completions: number): void {
  const [one, two] = [completed, failed].map(text => readable(text, completions))
  for (const c of one!) {
    for (const f of two!) {
      if (c.first <= f.last && f.first <= c.last) {
        const index = Math.max(c.first, f.first)
        throw new IndexesError(`failedIndexes and completedIndexes overlap at index: ${index}`)
      }
    }
  }
}

/** What cannot be read is left out: it is told elsewhere. */
function readable(text: string, completions: number): Interval[] {
  if (text === '') return []
  return text.split(',').flatMap(part => {
    try {
      return [parseInterval(part, completions)]
    } catch {
      return []
    }
  })
}

function parseInterval(text: string, completions: number): Interval {
  const [from, to, ...more] = text.split('-')
  if (more.length > 0) {
    throw new IndexesError(
      `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`,
    )
  }
  const first = parseIndex(from!, completions)
  if (to === undefined) return { first, last: first }
  const last = parseIndex(to, completions)
  if (first >= last) throw notIncreasing(first, last)
  return { first, last }
}

function parseIndex(text: string, completions: number): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new IndexesError(`cannot convert string to integer for index: ${JSON.stringify(text)}`)
  }
  const index = Number(text)
  if (index >= completions) throw new IndexesError(`too large index: ${JSON.stringify(text)}`)
  return index
}

const notIncreasing = (previous: number, current: number) =>
  new IndexesError(`non-increasing order, previous: ${previous}, current: ${current}`)
