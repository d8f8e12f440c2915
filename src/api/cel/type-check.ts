// Looks at the types in an expression before it ever runs. Only what cel-go would surely refuse counts: the library's own
// judgement is stricter here and there, and nobody's good expression is to be turned away.
// Upstream: cel-go checker; apiserver pkg/cel/openapi.
import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { issueText, type LibraryError } from './expression-error.ts'

export type TypeCheck = { issue: string } | { type: string }

/** Types of which the checker is sure. */
const PLAIN = new Set(['int', 'uint', 'double', 'string', 'bool', 'bytes'])
export const isPlainType = (type: string): boolean => PLAIN.has(type)

/** `readable`: the expression as the library reads it. The type is 'dyn' where nobody can tell. */
export function checkTypes(environment: Environment, expression: string, readable: string): TypeCheck {
  const { valid, type, error } = environment.parse(readable).check()
  if (valid) return { type: type ?? 'dyn' }
  const found = surely(error as LibraryError, environment)
  if (!found) return { type: 'dyn' }
  return { issue: issueText(expression, expression === readable ? found.at : 0, found.message) }
}

interface Finding {
  at: number
  message: string
}

function surely(error: LibraryError, environment: Environment): Finding | undefined {
  const node = error.node as ASTNode | undefined
  if (!node) return undefined
  switch (error.code) {
    case 'no_such_key':
      return unknownField(node)
    case 'unknown_variable':
      return { at: node.start, message: undeclared(String(node.args)) }
    case 'invalid_comprehension_range':
      return wrongRange(node)
    case 'no_such_overload':
    case 'invalid_logical_operand':
      return wrongOperands(node)
    case 'no_matching_overload':
      return unknownFunction(node, environment)
    default:
      return undefined
  }
}

const undeclared = (name: string) => `undeclared reference to '${name}' (in container '')`

/** The library remembers what it found out at each node. */
const typeNameOf = (node: ASTNode): string | undefined =>
  (node as ASTNode & { checkedType?: { name?: string } }).checkedType?.name

function unknownField(node: ASTNode): Finding | undefined {
  if (node.op !== '.') return undefined
  const [owner, field] = node.args
  return { at: node.input.indexOf('.', owner.end), message: `undefined field '${field}'` }
}

function wrongRange(node: ASTNode): Finding | undefined {
  const type = typeNameOf(node)
  if (!type || !isPlainType(type)) return undefined
  const message = `expression of type '${type}' cannot be range of a comprehension (must be list, map, or dynamic)`
  return { at: node.start, message }
}

const OPERATOR_NAMES: Record<string, string> = { '!_': '!_', '-_': '-_', in: '@in' }

function wrongOperands(node: ASTNode): Finding | undefined {
  const operands = (Array.isArray(node.args) ? node.args : [node.args]) as ASTNode[]
  const types = operands.map(typeNameOf)
  if (!types.every(type => type !== undefined && isPlainType(type))) return undefined
  const name = OPERATOR_NAMES[node.op] ?? `_${node.op}_`
  return {
    at: operatorPlace(node, operands),
    message: `found no matching overload for '${name}' applied to '(${types.join(', ')})'`,
  }
}

function operatorPlace(node: ASTNode, [left, right]: ASTNode[]): number {
  if (!left || !right) return node.start
  const found = node.input.indexOf(node.op, left.end)
  return found >= 0 && found < right.start ? found : node.start
}

/** A name that no function has; wrong arguments of one that is known show when it runs. */
function unknownFunction(node: ASTNode, environment: Environment): Finding | undefined {
  if (node.op !== 'call' && node.op !== 'rcall') return undefined
  const [name] = node.args
  if (environment.getDefinitions().functions.some(known => known.name === name)) return undefined
  const bracket = node.input.indexOf('(', node.input.indexOf(name, node.start))
  return { at: bracket < 0 ? node.start : bracket, message: undeclared(name) }
}
