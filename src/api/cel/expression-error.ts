// What is wrong with an expression, in the words of cel-go, which people's tools look for.
// Upstream: cel-go common/error.go and checker/errors.go.
import type { ASTNode, ErrorLocation } from '@marcbachmann/cel-js'
import { PatternError } from '../../base/pattern/pattern.ts'
import { OWN_MATCHES } from './pattern-functions.ts'

/** What the library's errors carry. */
export interface LibraryError extends Error {
  code?: string
  summary?: string
  node?: ErrorLocation | ASTNode
}

/** 'ERROR: <input>:1:6: undefined field 'z'' with the line and a mark below it. */
export function issueText(expression: string, at: number, message: string): string {
  const before = expression.slice(0, at)
  const line = before.split('\n').length
  const column = at - (before.lastIndexOf('\n') + 1)
  const text = expression.split('\n')[line - 1] ?? ''
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${text}\n | ${'.'.repeat(column)}^`
}

/** The library draws the place below its message. */
export const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!

/** An expression that cannot be read. */
export function syntaxIssue(expression: string, error: LibraryError): string {
  const at = error.node?.start ?? error.node?.pos ?? 0
  const found = expression.slice(at).match(/^=\s*/)?.[0]
  const what = found ? `token recognition error at: '${found}'` : lowered(error.summary ?? firstLine(error))
  return issueText(expression, at, `Syntax error: ${what}`)
}

const lowered = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)

/** What running an expression ended with. */
export function failureText(error: unknown): string {
  if (error instanceof PatternError) return error.message
  const { code, summary } = error as LibraryError
  if (code === 'no_such_key') return lowered(summary ?? firstLine(error))
  if (code === 'no_such_overload') return 'no such overload'
  return firstLine(error).replaceAll(OWN_MATCHES, 'matches')
}
