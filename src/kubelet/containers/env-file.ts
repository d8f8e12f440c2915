// Files that containers take variables from (KEP-3721): lines of NAME='value', where the value is taken literally and
// may go over several lines. Values without quotes, as the feature's first version wrote them, are understood too.

/** The variable's value; undefined when the file does not set it. Throws with the line that cannot be understood. */
export function envFileValue(text: string, name: string): string | undefined {
  const rest = new Lines(text)
  for (let line = rest.next(); line !== undefined; line = rest.next()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const equals = trimmed.indexOf('=')
    const found = trimmed.slice(0, Math.max(equals, 0)).trim()
    if (found === '') throw rest.failure()
    const start = trimmed.slice(equals + 1).trimStart()
    const value = start.startsWith("'") ? quoted(start.slice(1), rest) : bare(start, rest)
    if (found === name) return value
  }
  return undefined
}

class Lines {
  readonly #lines: readonly string[]
  #read = 0

  constructor(text: string) {
    this.#lines = text.split('\n')
  }

  next(): string | undefined {
    return this.#lines[this.#read++]
  }

  failure(why = ''): Error {
    return new Error(`invalid environment variable format at line ${this.#read}${why && `: ${why}`}`)
  }
}

/** Up to the closing quote, on whatever line it is; only a comment may follow. */
function quoted(first: string, rest: Lines): string {
  let value = first
  while (!value.includes("'")) {
    const line = rest.next()
    if (line === undefined) throw rest.failure('a quote is not closed')
    value += `\n${line}`
  }
  const end = value.indexOf("'")
  if (!/^\s*(#.*)?$/.test(value.slice(end + 1))) throw rest.failure('text after the closing quote')
  return value.slice(0, end)
}

/** A backslash at the end joins the next line with a space. */
function bare(first: string, rest: Lines): string {
  let value = first
  while (value.endsWith('\\')) {
    const line = rest.next()?.trim()
    if (!line || line.startsWith('#')) throw rest.failure('a continued line ends')
    value = `${value.slice(0, -1).trimEnd()} ${line}`
  }
  return value
}
