// CEL as Kubernetes speaks it: the language with Kubernetes' own libraries. Values are JSON, whole numbers are ints.
// Upstream: apiserver pkg/cel/environment and pkg/cel/library.
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js'
import { registerAddressFunctions } from './address-functions.ts'
import { registerAuthorizer } from './authorizer-functions.ts'
import { countSteps, withinBudget } from './call-budget.ts'
import { registerDevices, withoutIndexedHas } from './device-functions.ts'
import { failureText, firstLine, issueText, type LibraryError, syntaxIssue } from './expression-error.ts'
import { registerListFunctions } from './list-functions.ts'
import { registerMessages } from './message-functions.ts'
import { withoutMessageLiterals } from './message-literals.ts'
import { findWrongPattern, registerPatternFunctions, useOwnMatches } from './pattern-functions.ts'
import { registerQuantityFunctions } from './quantity-functions.ts'
import { registerTextFunctions } from './text-functions.ts'
import { checkTypes, isPlainType } from './type-check.ts'

/** Expressions may not grow out of bounds; those that users write are far from this. */
const LIMITS = { maxAstNodes: 20_000, maxDepth: 200, maxListElements: 5_000, maxMapEntries: 5_000 }

const OPTIONS = {
  unlistedVariablesAreDyn: true,
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: LIMITS,
}
const environment = new Environment(OPTIONS)
registerTextFunctions(environment)
registerPatternFunctions(environment)
registerListFunctions(environment)
registerQuantityFunctions(environment)
registerAddressFunctions(environment)
registerAuthorizer(environment)

/**
 * 'optional': for rules that look at a past that may not be. 'patch': for expressions that make objects. 'device': for
 * selectors of devices.
 */
export type Speech = 'plain' | 'optional' | 'patch' | 'device'

const patching = environment.clone(OPTIONS)
registerMessages(patching)
const selecting = environment.clone(OPTIONS)
registerDevices(selecting)
const speakers: Record<Speech, Environment> = {
  plain: environment,
  optional: environment.clone(OPTIONS).registerVariable('oldSelf', 'optional<dyn>'),
  patch: patching,
  device: selecting,
}

/** An expression that cannot be read, or that failed; the message says why. */
export class CelError extends Error {}

/** An expression that can be read and that no program can be made of; its types may be wrong too. */
class CelProgramError extends CelError {
  readonly problem: { issue: string } | { program: string }

  constructor(problem: { issue: string } | { program: string }) {
    super('issue' in problem ? problem.issue : `program instantiation failed: ${problem.program}`)
    this.problem = problem
  }
}

export type Program = (variables: Record<string, unknown>) => unknown

const MOST_REMEMBERED = 1_000
const programs = new Map<string, Program>()

/** Throws CelError when the text is no expression. Programs throw CelError when they fail. */
export function compile(expression: string, speech: Speech = 'plain'): Program {
  const key = `${speech} ${expression}`
  const known = programs.get(key)
  if (known) return known
  const parsed = parse(expression, speakers[speech], speech)
  checkPatterns(expression, parsed.ast, readable(expression, speech))
  useOwnMatches(parsed.ast)
  countSteps(parsed.ast)
  const program: Program = variables => {
    try {
      return withinBudget(() => parsed(variables))
    } catch (error) {
      throw new CelError(failureText(error))
    }
  }
  const [oldest] = programs.keys()
  if (oldest !== undefined && programs.size >= MOST_REMEMBERED) programs.delete(oldest)
  programs.set(key, program)
  return program
}

/** cel-go looks at the patterns of `matches` when it reads an expression, at others when it makes a program of it. */
function checkPatterns(expression: string, ast: ASTNode, readableText: string): void {
  const wrong = findWrongPattern(ast)
  if (!wrong) return
  if (wrong.function !== 'matches') throw new CelProgramError({ program: wrong.problem })
  const at = expression === readableText ? wrong.at : 0
  throw new CelProgramError({ issue: issueText(expression, at, 'invalid matches argument') })
}

function parse(expression: string, speaker: Environment, speech: Speech): ParseResult {
  try {
    return speaker.parse(readable(expression, speech))
  } catch (error) {
    throw new CelError(isLibraryError(error) ? syntaxIssue(expression, error) : firstLine(error))
  }
}

const isLibraryError = (error: unknown): error is LibraryError =>
  error instanceof Error && 'code' in error && 'summary' in error

function readable(expression: string, speech: Speech): string {
  if (speech === 'patch') return withoutMessageLiterals(expression)
  return speech === 'device' ? withoutIndexedHas(expression, selecting) : expression
}

/** An expression taken apart. Throws CelError when the text is none. */
export const astOf = (expression: string): ASTNode => parse(expression, environment, 'plain').ast

/** What an expression may name, and what it must come to. */
export interface Expectation {
  speech?: Speech
  /** The only variables that there are, with their types as CEL writes them. */
  variables: Readonly<Record<string, string>>
  /** Objects by the names that `variables` and other fields use. */
  types?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Nothing: it may come to anything. */
  returns?: string
}

const checkers = new WeakMap<Expectation, Environment>()

/** 'issue': in cel-go's words. 'type': it comes to another type than expected. 'program': why none can be made of it. */
export type ExpressionProblem = { issue: string } | { type: string } | { program: string }

/** What is wrong with an expression, as far as can be told before it runs. undefined: nothing. */
export function findProblem(expression: string, expectation: Expectation): ExpressionProblem | undefined {
  const { speech = 'plain', returns } = expectation
  let unmade: ExpressionProblem | undefined
  try {
    compile(expression, speech)
  } catch (error) {
    if (!(error instanceof CelProgramError))
      return { issue: error instanceof CelError ? error.message : firstLine(error) }
    unmade = error.problem
  }
  const found = checkTypes(checkerFor(expectation), expression, readable(expression, speech))
  if ('issue' in found) return found
  if (unmade && 'issue' in unmade) return unmade
  if (returns !== undefined && isPlainType(found.type) && found.type !== returns) return found
  return unmade
}

/** The type that an expression comes to, 'dyn' where nobody can tell. Throws CelError when the text is none. */
export function typeOfExpression(expression: string, expectation: Expectation): string {
  const { speech = 'plain' } = expectation
  parse(expression, speakers[speech], speech)
  const found = checkTypes(checkerFor(expectation), expression, readable(expression, speech))
  return 'type' in found ? found.type : 'dyn'
}

function checkerFor(expectation: Expectation): Environment {
  const known = checkers.get(expectation)
  if (known) return known
  const { speech = 'plain', variables, types = {} } = expectation
  const base = speech === 'optional' ? environment : speakers[speech]
  const checker = base.clone({ ...OPTIONS, unlistedVariablesAreDyn: false })
  for (const [name, fields] of Object.entries(types)) checker.registerType({ name, schema: { ...fields } })
  for (const [name, type] of Object.entries(variables)) checker.registerVariable(name, type)
  checkers.set(expectation, checker)
  return checker
}

/** JSON as CEL sees it. */
export function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(celValue)
  if (typeof value !== 'object' || value === null) return value ?? null
  const map: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) if (inner !== undefined) map[key] = celValue(inner)
  return map
}
