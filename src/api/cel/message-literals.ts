// Message literals (`Object.spec{replicas: 3}`), which the CEL library does not read, rewritten as calls that it does.
// A name before a brace is nothing else in CEL's grammar, so the text alone tells. Source: cel-spec langdef, «Syntax».

/** Takes the name of the message and a map of its fields. */
export const MESSAGE_FUNCTION = 'kubernetes_message'

type Token = { kind: 'name' | 'text' | 'mark' | 'space'; text: string }

const TOKENS =
  /(?<space>\s+|\/\/[^\n]*)|(?<text>[bBrR]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|(?<name>[A-Za-z_]\w*)|(?<mark>[\s\S])/g

function tokensOf(expression: string): Token[] {
  return [...expression.matchAll(TOKENS)].map(({ 0: text, groups = {} }): Token => {
    const kind = groups.space ? 'space' : groups.text ? 'text' : groups.name ? 'name' : 'mark'
    return { kind, text }
  })
}

const NEVER_NAMES = new Set(['in', 'true', 'false', 'null'])

/** Expressions without such literals come back as they are. */
export function withoutMessageLiterals(expression: string): string {
  if (!/\w\s*\{/.test(expression)) return expression
  const written: string[] = []
  /** What each open brace began. */
  const braces: ('message' | 'other')[] = []
  const tokens = tokensOf(expression)
  for (const [index, token] of tokens.entries()) {
    const opened = token.text === '{' ? takeName(written) : undefined
    if (opened) {
      braces.push('message')
      written.push(`${MESSAGE_FUNCTION}(${JSON.stringify(opened)}, {`)
    } else if ('{[('.includes(token.text)) {
      braces.push('other')
      written.push(token.text)
    } else if (token.kind === 'mark' && '}])'.includes(token.text)) {
      written.push(braces.pop() === 'message' ? '})' : token.text)
    } else if (braces.at(-1) === 'message' && token.kind === 'mark' && token.text === '?') {
      written.push(isBeforeField(tokens, index) ? '' : '?')
    } else if (braces.at(-1) === 'message' && isField(tokens, index)) {
      written.push(JSON.stringify(isOptional(tokens, index) ? `?${token.text}` : token.text))
    } else written.push(token.text)
  }
  return written.join('')
}

/** The dotted name at the end of what is written, taken away from it. */
function takeName(written: string[]): string | undefined {
  let at = written.length
  while (at > 0 && /^\s*$/.test(written[at - 1]!)) at--
  const end = at
  while (at > 0 && /^(\w+|\.)$/.test(written[at - 1]!)) at--
  const name = written.slice(at, end).join('')
  if (!/^[A-Za-z_]\w*(\.\w+)*$/.test(name) || NEVER_NAMES.has(name)) return undefined
  written.length = at
  return name
}

const solid = (tokens: Token[], from: number, step: 1 | -1): [Token | undefined, number] => {
  let at = from + step
  while (tokens[at]?.kind === 'space') at += step
  return [tokens[at], at]
}

/** A name between `{` or `,` and a colon. */
function isField(tokens: Token[], index: number): boolean {
  const [after] = solid(tokens, index, 1)
  if (tokens[index]!.kind !== 'name' || after?.text !== ':') return false
  const [before, at] = solid(tokens, index, -1)
  const first = before?.text === '?' ? solid(tokens, at, -1)[0] : before
  return first?.text === '{' || first?.text === ','
}

const isOptional = (tokens: Token[], index: number) => solid(tokens, index, -1)[0]?.text === '?'

function isBeforeField(tokens: Token[], index: number): boolean {
  const [next, at] = solid(tokens, index, 1)
  const [before] = solid(tokens, index, -1)
  return next?.kind === 'name' && isField(tokens, at) && (before?.text === '{' || before?.text === ',')
}
