// matches, find, findAll: RE2's syntax, linear time, and what cel-go says of patterns that are none.
// Upstream: apiserver cel/library/regex.go and cost.go; cel-go MatchesRegexOptimization and ValidateRegexLiterals.
import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import {
  compilePattern,
  type Pattern,
  PatternError,
  PatternWorkError,
  patternProblem,
} from '../../base/pattern/pattern.ts'
import { BUDGET_EXCEEDED, charge, nodesIn } from './call-budget.ts'

/** The library's `matches` runs RegExp and cannot be taken away. No expression can write this name. */
export const OWN_MATCHES = 'matches (RE2)'

export function registerPatternFunctions(environment: Environment): void {
  const matches = (text: string, pattern: string) => look(text, pattern, '', found => found.test(text))
  const find = (text: string, pattern: string) =>
    look(text, pattern, 'Illegal regex: ', found => found.first(text) ?? '')
  const findAll = (text: string, pattern: string, most = -1n) =>
    look(text, pattern, 'Illegal regex: ', found => found.all(text, most < 0n ? undefined : Number(most)))
  environment
    .registerFunction({
      name: OWN_MATCHES,
      receiverType: 'string',
      returnType: 'bool',
      params: [{ name: 'pattern', type: 'string' }],
      handler: matches,
    })
    .registerFunction('matches(string, string): bool', matches)
    .registerFunction('string.find(string): string', find)
    .registerFunction('string.findAll(string): list', (text: string, pattern: string) =>
      findAll(text, pattern),
    )
    .registerFunction('string.findAll(string, int): list', findAll)
}

/** Upstream's costs: a tenth of a unit for each character of the text, a quarter for each of the pattern. */
function look<T>(text: string, pattern: string, prefix: string, run: (pattern: Pattern) => T): T {
  charge(Math.ceil((1 + text.length) * 0.1) * Math.ceil(pattern.length * 0.25))
  try {
    return run(compilePattern(pattern))
  } catch (error) {
    if (error instanceof PatternError) throw new PatternError(`${prefix}${error.message}`)
    if (error instanceof PatternWorkError) throw new Error(BUDGET_EXCEEDED)
    throw error
  }
}

/** Hands calls of `matches` to the function above; before an expression first runs. */
export function useOwnMatches(node: ASTNode): void {
  if (node.op === 'rcall' && node.args[0] === 'matches' && node.args[2].length === 1) {
    node.args[0] = OWN_MATCHES
  }
  for (const inner of nodesIn(node.args)) useOwnMatches(inner)
}

/** A pattern that an expression spells out and that is none. */
export interface WrongPattern {
  function: string
  /** Where it stands. */
  at: number
  /** Go's words. */
  problem: string
}

/** The first one; before or after `useOwnMatches`. */
export function findWrongPattern(node: ASTNode): WrongPattern | undefined {
  const own = wrongPatternOf(node)
  if (own) return own
  for (const inner of nodesIn(node.args)) {
    const found = findWrongPattern(inner)
    if (found) return found
  }
  return undefined
}

function wrongPatternOf(node: ASTNode): WrongPattern | undefined {
  if (node.op !== 'rcall' && node.op !== 'call') return undefined
  const name = node.args[0] === OWN_MATCHES ? 'matches' : node.args[0]
  const pattern = node.op === 'rcall' ? node.args[2][0] : node.args[1][1]
  const takesPattern = name === 'matches' || (node.op === 'rcall' && (name === 'find' || name === 'findAll'))
  if (!takesPattern || pattern?.op !== 'value' || typeof pattern.args !== 'string') return undefined
  const problem = patternProblem(pattern.args)
  return problem === undefined ? undefined : { function: name, at: pattern.start, problem }
}
