// The most that a rule of a schema can cost, from the limits that the schema sets: rules over unbounded lists in unbounded
// lists are refused before they meet an object. Lower than upstream's estimate where in doubt.
// Upstream: apiextensions-apiserver pkg/apis/apiextensions/validation (cel cost), apiserver pkg/cel/common/schemas.go.
import type { ASTNode } from '@marcbachmann/cel-js'
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import { nodesIn } from './call-budget.ts'
import { escapedFieldName } from './field-names.ts'

/** Of one rule, in units of one step. */
export const RULE_COST_LIMIT = 10_000_000
/** Nothing larger comes through the door. */
const LARGEST_REQUEST = 3 * 1024 * 1024
const STEPS_PER_ROUND = 3
const LOOPS = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])

type Scope = ReadonlyMap<string, JSONSchemaProps | undefined>

export function estimateCost(ast: ASTNode, self: JSONSchemaProps): number {
  return estimateCostOf(ast, { self, oldSelf: self })
}

/** `variables`: what the expression may name. */
export const estimateCostOf = (ast: ASTNode, variables: Record<string, JSONSchemaProps>): number =>
  cost(ast, new Map(Object.entries(variables)))

function cost(node: ASTNode, scope: Scope): number {
  if (node.op === 'value' || node.op === 'id') return 1
  if (node.op === 'rcall') {
    const [name, range, args] = node.args
    const [variable, ...bodies] = args
    if (LOOPS.has(name) && variable?.op === 'id') {
      const inner = new Map(scope).set(variable.args, innerSchema(schemaOf(range, scope)))
      const round = bodies.reduce((sum, body) => sum + cost(body, inner), STEPS_PER_ROUND)
      return cost(range, scope) + mostItems(schemaOf(range, scope)) * round
    }
  }
  return nodesIn(node.args).reduce((sum, inner) => sum + cost(inner, scope), 1)
}

/** The schema of what a node comes to, where that is a part of the object. */
function schemaOf(node: ASTNode, scope: Scope): JSONSchemaProps | undefined {
  if (node.op === 'id') return scope.get(node.args)
  if (node.op === '.') {
    const [owner, field] = node.args
    const found = Object.entries(schemaOf(owner, scope)?.properties ?? {}).find(
      ([name]) => escapedFieldName(name) === field,
    )
    return found?.[1] ?? innerSchema(schemaOf(owner, scope))
  }
  if (node.op === '[]') return innerSchema(schemaOf(node.args[0], scope))
  return node.op === 'rcall' && node.args[0] === 'filter' ? schemaOf(node.args[1], scope) : undefined
}

/** Of the items of a list; of a map, keys are what loops see. */
function innerSchema(schema: JSONSchemaProps | undefined): JSONSchemaProps | undefined {
  return schema?.items && !Array.isArray(schema.items) ? schema.items : undefined
}

/** How many items or entries there can be; 1 where nobody knows. */
export function mostItems(schema: JSONSchemaProps | undefined): number {
  if (!schema) return 1
  const { items, additionalProperties, maxItems, maxProperties } = schema
  if (schema.type === 'array') {
    const each = items && !Array.isArray(items) ? smallestSize(items) + 1 : 1
    return maxItems ?? Math.floor((LARGEST_REQUEST - 2) / each)
  }
  if (typeof additionalProperties === 'object') {
    // A key with its quotes, a colon, a comma.
    return maxProperties ?? Math.floor((LARGEST_REQUEST - 2) / (smallestSize(additionalProperties) + 4))
  }
  return 1
}

/** Bytes of the shortest JSON of a value. */
function smallestSize({ type, properties = {}, required = [] }: JSONSchemaProps): number {
  if (type === 'string' || type === 'array') return 2
  if (type === 'boolean') return 4
  if (type !== 'object') return 1
  const fields = required.flatMap(name => {
    const schema = properties[name]
    return schema && schema.default === undefined ? [name.length + 4 + smallestSize(schema)] : []
  })
  return 2 + fields.reduce((sum, size) => sum + size, 0)
}

/** 'estimated rule cost exceeds budget by …'; undefined when it does not. Upstream: getCostErrorMessage. */
export function costProblem(total: number): string | undefined {
  if (total <= RULE_COST_LIMIT) return undefined
  const factor = total / RULE_COST_LIMIT
  const times =
    factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  return `estimated rule cost exceeds budget by factor of ${times} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}
