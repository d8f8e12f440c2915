// The CEL rules that a schema carries: can they be read, do their types fit the schema, are they cheap enough.
// Upstream: apiextensions-apiserver pkg/apis/apiextensions/validation (ValidateCustomResourceDefinitionOpenAPISchema).
import { astOf, type Expectation, type ExpressionProblem, findProblem } from '../cel/environment.ts'
import { costProblem, estimateCost, mostItems } from '../cel/estimate-cost.ts'
import { typesOfSchema } from '../cel/schema-types.ts'
import type { JSONSchemaProps, ValidationRule } from '../types/apiextensions-v1.ts'
import { type FieldError, forbiddenField, invalidValue, required } from './field-error.ts'

export interface RulePlace {
  path: string
  /** The schema is that of whole objects. */
  isRoot: boolean
  /** How often values of this schema can be in one object. */
  times: number
}

export function ruleErrors(schema: JSONSchemaProps, place: RulePlace): FieldError[] {
  const rules = schema['x-kubernetes-validations'] ?? []
  if (rules.length === 0) return []
  const { root, types } = typesOfSchema(
    schema,
    place.isRoot || schema['x-kubernetes-embedded-resource'] === true,
  )
  return rules.flatMap((rule, index) => {
    const at = `${place.path}.x-kubernetes-validations[${index}]`
    if (!rule.rule?.trim()) return [required(`${at}.rule`, 'rule is not specified')]
    const expectation = (returns: string): Expectation => ({
      types,
      variables: { self: root, oldSelf: rule.optionalOldSelf ? 'optional<dyn>' : root },
      returns,
    })
    const wrong = expressionError(rule.rule, expectation('bool'), `${at}.rule`)
    if (wrong) return [wrong]
    return [...messageErrors(rule, expectation('string'), at), ...costErrors(rule.rule, schema, place, at)]
  })
}

/** `what`: how upstream begins what it says of an expression that is not the rule itself. */
function expressionError(
  expression: string,
  expectation: Expectation,
  at: string,
  what = '',
): FieldError | undefined {
  const problem = findProblem(expression, expectation)
  if (!problem) return undefined
  return invalidValue(at, expression, `${what}${detailOf(problem, expectation, what === '')}`)
}

function detailOf(problem: ExpressionProblem, { returns }: Expectation, isRule: boolean): string {
  if ('issue' in problem) return `compilation failed: ${problem.issue}`
  if ('program' in problem) return `${isRule ? 'program ' : ''}instantiation failed: ${problem.program}`
  return `${isRule ? 'cel expression ' : ''}must evaluate to a ${returns}`
}

function messageErrors(
  { messageExpression }: ValidationRule,
  expectation: Expectation,
  at: string,
): FieldError[] {
  if (messageExpression === undefined) return []
  const path = `${at}.messageExpression`
  if (!messageExpression.trim()) {
    return [required(path, 'messageExpression must be non-empty if specified')]
  }
  const wrong = expressionError(messageExpression, expectation, path, 'messageExpression ')
  return wrong ? [wrong] : []
}

function costErrors(rule: string, schema: JSONSchemaProps, { times }: RulePlace, at: string): FieldError[] {
  const problem = costProblem(estimateCost(astOf(rule), schema) * times)
  return problem ? [forbiddenField(`${at}.rule`, problem)] : []
}

/** How often the values below a list or a map can be there. */
export const timesBelow = (schema: JSONSchemaProps, times: number): number => times * mostItems(schema)
