// CEL as Kubernetes speaks it: the language with Kubernetes' own libraries. Values are JSON, whole numbers are ints.
// Upstream: apiserver pkg/cel/environment and pkg/cel/library.
import { Environment, type ParseResult } from '@marcbachmann/cel-js'
import { registerAddressFunctions } from './address-functions.ts'
import { registerAuthorizer } from './authorizer-functions.ts'
import { registerListFunctions } from './list-functions.ts'
import { registerQuantityFunctions } from './quantity-functions.ts'
import { registerTextFunctions } from './text-functions.ts'

/** Expressions may not grow out of bounds; those that users write are far from this. */
const LIMITS = { maxAstNodes: 20_000, maxDepth: 200, maxListElements: 5_000, maxMapEntries: 5_000 }

const environment = new Environment({
  unlistedVariablesAreDyn: true,
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: LIMITS,
})
registerTextFunctions(environment)
registerListFunctions(environment)
registerQuantityFunctions(environment)
registerAddressFunctions(environment)
registerAuthorizer(environment)

/** For rules that look at a past that may not be. */
const withOptionalPast = environment.clone().registerVariable('oldSelf', 'optional<dyn>')

/** An expression that cannot be read, or that failed; the message says why. */
export class CelError extends Error {}

export type Program = (variables: Record<string, unknown>) => unknown

const MOST_REMEMBERED = 1_000
const programs = new Map<string, Program>()

/** Throws CelError when the text is no expression. Programs throw CelError when they fail. */
export function compile(expression: string, past: 'plain' | 'optional' = 'plain'): Program {
  const key = `${past} ${expression}`
  const known = programs.get(key)
  if (known) return known
  const parsed = parse(expression, past === 'plain' ? environment : withOptionalPast)
  const program: Program = variables => {
    try {
      return parsed(variables)
    } catch (error) {
      throw new CelError(firstLine(error))
    }
  }
  const [oldest] = programs.keys()
  if (oldest !== undefined && programs.size >= MOST_REMEMBERED) programs.delete(oldest)
  programs.set(key, program)
  return program
}

function parse(expression: string, speaker: Environment): ParseResult {
  try {
    return speaker.parse(expression)
  } catch (error) {
    throw new CelError(firstLine(error))
  }
}

/** The library draws the place below its message. */
const firstLine = (error: unknown) => (error instanceof Error ? error.message : String(error)).split('\n')[0]!

/** JSON as CEL sees it. */
export function celValue(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return value.map(celValue)
  if (typeof value !== 'object' || value === null) return value ?? null
  const map: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) if (inner !== undefined) map[key] = celValue(inner)
  return map
}
