// Goes over a pattern once before it is compiled: says what the engine's syntax says otherwise than Go's, and adds up how
// large the program will be. Where a pattern makes no sense the rest is left as it is: compiling it tells what is wrong.
// Upstream: Go regexp/syntax parse.go.
import { classNameOf } from './class-name.ts'

export interface ReadPattern {
  /** What to compile: groups that share a name have it only once, Unicode classes have their short names. */
  text: string
  /** Never fewer than the program will have. */
  instructions: number
  unicodeClasses: number
  /** Where something of `text` is in the pattern as it was given. */
  placeOf(at: number): number
}

const QUOTED = String.raw`(?<quoted>\\Q[\s\S]*?(?:\\E|$))`
const UNICODE = String.raw`\\[pP](?:\{[^}]*\}|[^{])`
const ESCAPED = String.raw`\\x\{[\da-fA-F]*\}|\\x[\da-fA-F]{2}|\\[^pPx]`
const GROUP = String.raw`(?<named>\(\?P?<[^>]*>)|(?<flags>\(\?[imsU-]*[:)])`
const NUMBER = String.raw`(?:0|[1-9]\d{0,7})`
const REPEAT = String.raw`(?<repeat>(?:[*+?]|\{(?<least>${NUMBER})(?:,(?<most>${NUMBER}?))?\})\??)`
const TOKEN = new RegExp(
  `${QUOTED}|(?<unicode>${UNICODE})|(?<escaped>${ESCAPED})|${GROUP}|${REPEAT}|(?<other>[\\s\\S])`,
  'uy',
)
const CLASS_START = /\[\^?\]?/y
/** What stands for several characters in […]. */
const CLASS_IN_CLASS = new RegExp(`${UNICODE}|\\\\[dDsSwW]`, 'uy')
const CHARACTER_IN_CLASS = new RegExp(`${ESCAPED}|[^\\\\]`, 'uy')
/** Go repeats no more often than this. */
const MOST_TIMES = 1_000

function matchAt(expression: RegExp, text: string, at: number): RegExpExecArray | undefined {
  expression.lastIndex = at
  return expression.exec(text) ?? undefined
}

/** `isClass`: does the engine know a Unicode class by this name? */
export function readPattern(source: string, isClass: (name: string) => boolean): ReadPattern {
  const reader = new PatternReader(source, isClass)
  return reader.read()
}

class PatternReader {
  readonly #source: string
  readonly #isClass: (name: string) => boolean
  readonly #names = new Set<string>()
  /** Instructions of the groups that are open, the outermost first: that one has a begin, an end and a way to fail. */
  readonly #sizes = [3]
  /** Instructions of what a repetition would repeat; undefined when that would make no sense. */
  #last: number | undefined
  #unicodeClasses = 0
  /** Where the last ':]' is; -1 when there is none. */
  readonly #lastClassEnd: number
  #text = ''
  #at = 0
  /** Behind each change: how far the text is, and how far the source. */
  readonly #changes: [written: number, source: number][] = []

  constructor(source: string, isClass: (name: string) => boolean) {
    this.#source = source
    this.#isClass = isClass
    this.#lastClassEnd = source.lastIndexOf(':]')
  }

  read(): ReadPattern {
    while (this.#at < this.#source.length && this.#readToken()) {
      // Each token moves on.
    }
    const changes = this.#changes
    return {
      text: this.#text + this.#source.slice(this.#at),
      instructions: this.#sizes.reduce((sum, size) => sum + size, this.#source.length - this.#at),
      unicodeClasses: this.#unicodeClasses,
      placeOf(at) {
        const [written, source] = changes.findLast(([end]) => end <= at) ?? [0, 0]
        return source + at - written
      },
    }
  }

  /** false: from here on the pattern makes no sense. */
  #readToken(): boolean {
    const found = matchAt(TOKEN, this.#source, this.#at)
    if (!found?.groups) return false
    const [token] = found
    const { quoted, unicode, named, flags, repeat, least, most, other } = found.groups
    if (other === '[') return this.#readClass()
    if (other === '\\' || (other === '(' && this.#source.startsWith('(?', this.#at))) return false
    if (repeat !== undefined) return this.#repeat(token, least, most)
    this.#take(token, this.#written(token, unicode, named))
    if (named !== undefined || other === '(' || flags?.endsWith(':')) this.#open()
    else if (other === ')') this.#close()
    else if (other === '|') this.#alternate()
    else if (flags === undefined) this.#add(quoted === undefined ? 1 : token.length)
    return true
  }

  #written(token: string, unicode: string | undefined, named: string | undefined): string {
    if (unicode !== undefined) return this.#unicodeClass(token)
    return named === undefined ? token : this.#group(named.replace('?P<', '?<'), token)
  }

  /** Go lets groups share a name; nobody asks for groups by their names here. */
  #group(name: string, token: string): string {
    if (!this.#names.has(name)) {
      this.#names.add(name)
      return token
    }
    let count = this.#names.size
    while (this.#names.has(`(?<_${count}>`)) count++
    return this.#group(`(?<_${count}>`, `(?<_${count}>`)
  }

  #unicodeClass(token: string): string {
    this.#unicodeClasses++
    const found = /^(?<sign>\\[pP])(?:\{(?<not>\^?)(?<long>[^}]*)\}|(?<short>.))$/su.exec(token)
    const { sign = '', not = '', long, short = '' } = found?.groups ?? {}
    const name = classNameOf(long ?? short)
    return name !== (long ?? short) && name !== '' && this.#isClass(name) ? `${sign}{${not}${name}}` : token
  }

  #take(token: string, written: string): void {
    this.#at += token.length
    this.#text += written
    if (token !== written) this.#changes.push([this.#text.length, this.#at])
  }

  #open(): void {
    this.#sizes.push(0)
    this.#last = undefined
  }

  #close(): void {
    this.#add((this.#sizes.length > 1 ? this.#sizes.pop()! : 0) + 3)
  }

  #alternate(): void {
    this.#add(2)
    this.#last = undefined
  }

  #add(size: number): void {
    this.#sizes[this.#sizes.length - 1]! += size
    this.#last = size
  }

  #repeat(token: string, least: string | undefined, most: string | undefined): boolean {
    const times = Math.max(Number(least ?? 1), Number(most || 1), 1)
    if (this.#last === undefined || times > MOST_TIMES) return false
    // Each that may be missing needs one more to go around it.
    const isFixed = least !== undefined && most === undefined
    const size = isFixed ? this.#last * times : (this.#last + 1) * times + 2
    this.#sizes[this.#sizes.length - 1]! += size - this.#last
    const next = this.#source[this.#at + token.length]
    // Only what a change of flags stands behind can be repeated once more.
    this.#last = next === '(' ? size : undefined
    this.#take(token, token)
    return true
  }

  /** From '[' to ']'. */
  #readClass(): boolean {
    const [opening] = matchAt(CLASS_START, this.#source, this.#at)!
    this.#take(opening, opening)
    while (this.#source[this.#at] !== ']') {
      const part = this.#classPart() ?? this.#characters()
      if (part === undefined) return false
      this.#take(part, this.#writtenInClass(part))
    }
    this.#take(']', ']')
    this.#add(1)
    return true
  }

  /** A '[' that begins no class is written so that the engine does not look for that class's end again and again. */
  #writtenInClass(part: string): string {
    if (/^\\[pP]/.test(part)) return this.#unicodeClass(part)
    return part === '[' && this.#source[this.#at + 1] === ':' ? '\\[' : part
  }

  /** '[:alpha:]', '\\d', '\\pL'. */
  #classPart(): string | undefined {
    if (!this.#source.startsWith('[:', this.#at)) return matchAt(CLASS_IN_CLASS, this.#source, this.#at)?.[0]
    if (this.#at > this.#lastClassEnd) return undefined
    return this.#source.slice(this.#at, this.#source.indexOf(':]', this.#at) + 2)
  }

  /** One character, or a range of them: what follows '-' is a character even when it looks like a class. */
  #characters(): string | undefined {
    const first = matchAt(CHARACTER_IN_CLASS, this.#source, this.#at)?.[0]
    if (first === undefined) return undefined
    const dash = this.#at + first.length
    if (this.#source[dash] !== '-' || this.#source[dash + 1] === ']') return first
    const last = matchAt(CHARACTER_IN_CLASS, this.#source, dash + 1)?.[0]
    return last === undefined ? undefined : `${first}-${last}`
  }
}
