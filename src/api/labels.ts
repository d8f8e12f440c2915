// Label selectors, as text (`app=web,tier in (a,b)`) and as metav1.LabelSelector.
// Upstream: apimachinery pkg/labels/selector.go and pkg/apis/meta/v1/helpers.go.
import type { LabelSelector } from './types/meta-v1.ts'

export type Labels = Readonly<Record<string, string>>
export type LabelMatcher = (labels: Labels | undefined) => boolean

export interface Requirement {
  key: string
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'
  values: readonly string[]
}

/** The text is no selector; the message is upstream's. */
export class SelectorError extends Error {}

const NONE: Labels = {}

export const everything: LabelMatcher = () => true
export const nothing: LabelMatcher = () => false

/** Throws SelectorError. An empty text selects everything. */
export function parseLabelSelector(text: string): LabelMatcher {
  return compile(parseRequirements(text))
}

/** An absent selector selects nothing, an empty one everything. Upstream: LabelSelectorAsSelector. */
export function matcherOf(selector: LabelSelector | undefined): LabelMatcher {
  if (!selector) return nothing
  const equal = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): Requirement => ({ key, operator: 'In', values: [value] }),
  )
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }): Requirement => ({
      key,
      operator: operator as Requirement['operator'],
      values,
    }),
  )
  return compile([...equal, ...expressions])
}

/** For `selector: {app: web}` maps as in Services; an empty one selects nothing there, so callers check that first. */
export function matchesAll(wanted: Labels, labels: Labels | undefined): boolean {
  return Object.entries(wanted).every(([key, value]) => labels?.[key] === value)
}

export function compile(requirements: readonly Requirement[]): LabelMatcher {
  if (requirements.length === 0) return everything
  const checks = requirements.map(check)
  return (labels = NONE) => checks.every(holds => holds(labels))
}

function check({ key, operator, values }: Requirement): (labels: Labels) => boolean {
  const set = new Set(values)
  switch (operator) {
    case 'In':
      return labels => labels[key] !== undefined && set.has(labels[key])
    case 'NotIn':
      return labels => labels[key] === undefined || !set.has(labels[key])
    case 'Exists':
      return labels => labels[key] !== undefined
    case 'DoesNotExist':
      return labels => labels[key] === undefined
    case 'Gt':
      return labels => isNumber(labels[key]) && Number(labels[key]) > Number(values[0])
    case 'Lt':
      return labels => isNumber(labels[key]) && Number(labels[key]) < Number(values[0])
  }
}

const isNumber = (text: string | undefined): boolean => text !== undefined && /^[+-]?\d+$/.test(text)

interface Token {
  kind: 'word' | '(' | ')' | ',' | '=' | '==' | '!=' | '!' | '<' | '>' | 'in' | 'notin' | 'end'
  text: string
}

export function parseRequirements(text: string): Requirement[] {
  const parser = new Parser(tokens(text))
  try {
    return parser.requirements()
  } catch (error) {
    if (error instanceof SelectorError)
      throw new SelectorError(`unable to parse requirement: ${error.message}`)
    throw error
  }
}

function tokens(text: string): Token[] {
  const found: Token[] = []
  const pattern = /\s*(==|!=|[=!<>(),]|[^\s=!<>(),]+)/gy
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (!match) break
    const word = match[1]!
    const keyword = word === 'in' || word === 'notin' || /^[=!<>(),]/.test(word)
    found.push({ kind: keyword ? (word as Token['kind']) : 'word', text: word })
  }
  found.push({ kind: 'end', text: '' })
  return found
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(list: readonly Token[]) {
    this.#tokens = list
  }

  requirements(): Requirement[] {
    const list: Requirement[] = []
    if (this.#peek().kind === 'end') return list
    for (;;) {
      const next = this.#peek()
      if (next.kind !== 'word' && next.kind !== '!' && next.kind !== 'in' && next.kind !== 'notin') {
        throw new SelectorError(`found '${next.text}', expected: !, identifier, or 'end of string'`)
      }
      list.push(this.#requirement())
      const after = this.#take()
      if (after.kind === 'end') return list
      if (after.kind !== ',')
        throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`)
      const follows = this.#peek()
      if (
        follows.kind !== 'word' &&
        follows.kind !== '!' &&
        follows.kind !== 'in' &&
        follows.kind !== 'notin'
      ) {
        throw new SelectorError(`found '${follows.text}', expected: identifier after ','`)
      }
    }
  }

  #requirement(): Requirement {
    const absent = this.#peek().kind === '!'
    if (absent) this.#take()
    const key = this.#take()
    if (key.kind === 'end' || /^[=!<>(),]/.test(key.kind)) {
      throw new SelectorError(`found '${key.text}', expected: identifier`)
    }
    if (absent) return { key: key.text, operator: 'DoesNotExist', values: [] }
    const next = this.#peek().kind
    if (next === 'end' || next === ',') return { key: key.text, operator: 'Exists', values: [] }
    return { key: key.text, ...this.#comparison() }
  }

  #comparison(): Omit<Requirement, 'key'> {
    const operator = this.#take()
    switch (operator.kind) {
      case 'in':
        return { operator: 'In', values: this.#set() }
      case 'notin':
        return { operator: 'NotIn', values: this.#set() }
      case '=':
      case '==':
        return { operator: 'In', values: [this.#exactValue()] }
      case '!=':
        return { operator: 'NotIn', values: [this.#exactValue()] }
      case '>':
      case '<': {
        const value = this.#exactValue()
        if (!isNumber(value))
          throw new SelectorError("for 'Gt', 'Lt' operators, the value must be an integer")
        return { operator: operator.kind === '>' ? 'Gt' : 'Lt', values: [value] }
      }
      default:
        throw new SelectorError(`found '${operator.text}', expected: in, notin, =, ==, !=, gt, lt`)
    }
  }

  #exactValue(): string {
    const next = this.#peek().kind
    if (next === 'end' || next === ',') return ''
    const value = this.#take()
    if (value.kind !== 'word' && value.kind !== 'in' && value.kind !== 'notin') {
      throw new SelectorError(`found '${value.text}', expected: identifier`)
    }
    return value.text
  }

  #set(): string[] {
    const open = this.#take()
    if (open.kind !== '(') throw new SelectorError(`found '${open.text}' expected: '('`)
    const values = new Set<string>()
    for (let wantsValue = true; ; ) {
      const token = this.#take()
      if (token.kind === ')') {
        if (wantsValue) values.add('')
        return [...values].sort()
      }
      if (token.kind === ',') {
        if (wantsValue) values.add('')
        wantsValue = true
      } else if (wantsValue && (token.kind === 'word' || token.kind === 'in' || token.kind === 'notin')) {
        values.add(token.text)
        wantsValue = false
      } else {
        throw new SelectorError(`found '${token.text}', expected: ',', or ')'`)
      }
    }
  }

  #peek(): Token {
    return this.#tokens[this.#at]!
  }

  #take(): Token {
    const token = this.#tokens[this.#at]!
    if (token.kind !== 'end') this.#at++
    return token
  }
}
