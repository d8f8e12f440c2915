// Regular expressions that users wrote: RE2's syntax, as in Go, and time that grows with the length of the text only. The
// language's own RegExp is for patterns of ours: (a+)+$ against thirty letters would hold up everything that there is.
// Upstream: Go regexp.
import { performance } from 'node:perf_hooks'
import { RE2JS, RE2JSSyntaxException } from 're2js'
import {
  LONGEST_PATTERN,
  LONGEST_SEARCH_MS,
  MOST_INSTRUCTIONS,
  MOST_STATE_MEMORY,
  MOST_UNICODE_CLASSES,
  MOST_WORK,
} from './pattern-limits.ts'
import { type ReadPattern, readPattern } from './pattern-reader.ts'

/** The text is no pattern. The message is the one of Go: 'error parsing regexp: missing closing ): `(`'. */
export class PatternError extends Error {}

/** The pattern is fine, looking for it in this text would take too long. */
export class PatternWorkError extends Error {}

export class Pattern {
  readonly #compiled: RE2JS
  /** Instructions of the program. */
  readonly size: number

  constructor(compiled: RE2JS) {
    this.#compiled = compiled
    const { dfa } = compiled.re2()
    dfa.maxMem = dfa.memBudget = dfa.stateBudget = MOST_STATE_MEMORY
    this.size = compiled.programSize()
  }

  /** Is it anywhere in the text? Go: MatchString. Throws PatternWorkError. */
  test(text: string): boolean {
    if (text.length * this.size > MOST_WORK)
      throw new PatternWorkError('the text is too long for this pattern')
    return this.#compiled.test(text)
  }

  /** The first match. Go: FindString. Throws PatternWorkError. */
  first(text: string): string | undefined {
    return this.all(text, 1)[0]
  }

  /** All matches, or the first `most`. Go: FindAllString. Throws PatternWorkError. */
  all(text: string, most = Number.POSITIVE_INFINITY, now = () => performance.now()): string[] {
    const found: string[] = []
    if (most <= 0 || !this.test(text)) return found
    const matcher = this.#compiled.matcher(text)
    const start = now()
    let end = -1
    while (found.length < most && matcher.find()) {
      // Nothing, right behind a match, is no match.
      if (matcher.end() > matcher.start() || matcher.start() !== end) found.push(matcher.group() ?? '')
      end = matcher.end()
      if (now() - start > LONGEST_SEARCH_MS) throw new PatternWorkError('the search takes too long')
    }
    return found
  }
}

/** Instructions of all patterns that are remembered, and how many those may be. */
const MOST_REMEMBERED = { size: 200_000, patterns: 200 }
const remembered = new Map<string, Pattern>()
let rememberedSize = 0

/** Throws PatternError. The patterns used last are remembered. */
export function compilePattern(text: string): Pattern {
  const known = remembered.get(text)
  if (known) {
    remembered.delete(text)
    remembered.set(text, known)
    return known
  }
  const pattern = new Pattern(compile(text))
  remembered.set(text, pattern)
  rememberedSize += pattern.size
  for (const [oldest, { size }] of remembered) {
    if (rememberedSize <= MOST_REMEMBERED.size && remembered.size <= MOST_REMEMBERED.patterns) break
    remembered.delete(oldest)
    rememberedSize -= size
  }
  return pattern
}

/** What is wrong with a pattern, in the words of Go; undefined: nothing. */
export function patternProblem(text: string): string | undefined {
  try {
    compilePattern(text)
    return undefined
  } catch (error) {
    if (error instanceof PatternError) return error.message
    throw error
  }
}

function compile(text: string): RE2JS {
  if (text.length > LONGEST_PATTERN) throw tooLarge(text)
  const read = readPattern(text, isUnicodeClass)
  if (read.instructions > MOST_INSTRUCTIONS || read.unicodeClasses > MOST_UNICODE_CLASSES)
    throw tooLarge(text)
  try {
    return RE2JS.compile(read.text)
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) throw new PatternError(inWordsOfGo(error, text, read))
    throw error
  }
}

function isUnicodeClass(name: string): boolean {
  try {
    RE2JS.compile(`\\p{${name}}`)
    return true
  } catch {
    return false
  }
}

const parsing = (what: string, where: string) => `error parsing regexp: ${what}: \`${where}\``

const tooLarge = (text: string) => new PatternError(parsing('expression too large', text))

const UNSUPPORTED = 'invalid or unsupported Perl syntax'

/** The engine leaves out where, when it is nowhere or everywhere. What it points to often ends with the pattern. */
function inWordsOfGo(error: RE2JSSyntaxException, text: string, read: ReadPattern): string {
  const what = error.getDescription()
  const where = error.getPattern()
  // A name that the pattern ends before.
  if (where === '(?<' || where === '(?P<') return parsing(UNSUPPORTED, where.replace('P<', 'P'))
  if (!where) return parsing(what, what.startsWith('trailing backslash') ? '' : text)
  if (!read.text.endsWith(where)) return parsing(what, where)
  return parsing(what, text.slice(read.placeOf(read.text.length - where.length)))
}
