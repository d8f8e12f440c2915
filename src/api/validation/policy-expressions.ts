// The CEL expressions of webhooks and policies: can they be read, and do they name only what is there.
// Upstream: pkg/apis/admissionregistration/validation (validateCELCondition), apiserver admission/plugin/cel/compile.go.
import { type Expectation, findProblem } from '../cel/environment.ts'
import { MESSAGE_TYPE } from '../cel/message-functions.ts'
import { isQualifiedName } from '../names.ts'
import type { MatchCondition, Variable } from '../types/admissionregistration-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  internalError,
  invalidValue,
  required,
  tooMany,
} from './field-error.ts'

const REQUEST = { object: 'dyn', oldObject: 'dyn', request: 'dyn', namespaceObject: 'dyn' }
const WITH_AUTHORIZER = { ...REQUEST, authorizer: 'dyn' }

/** What expressions of a policy may name. */
export interface PolicyScope {
  condition: Expectation
  variable: Expectation
  validation: Expectation
  message: Expectation
  audit: Expectation
  object: Expectation
  patches: Expectation
}

function scopeWith(params: Record<string, string>): PolicyScope {
  const composed = { ...WITH_AUTHORIZER, ...params, variables: 'dyn' }
  return {
    condition: { variables: { ...WITH_AUTHORIZER, ...params }, returns: 'bool' },
    variable: { variables: composed },
    validation: { variables: composed, returns: 'bool' },
    message: { variables: { ...REQUEST, ...params, variables: 'dyn' }, returns: 'string' },
    audit: { variables: composed, returns: 'string' },
    object: { speech: 'patch', variables: composed, returns: MESSAGE_TYPE },
    patches: { speech: 'patch', variables: composed, returns: `list<${MESSAGE_TYPE}>` },
  }
}

const withParams = scopeWith({ params: 'dyn' })
const withoutParams = scopeWith({})

export const policyScope = (hasParams: boolean): PolicyScope => (hasParams ? withParams : withoutParams)

/** As upstream names what expressions of patches come to. */
const RESULT_NAMES: Record<string, string> = {
  [MESSAGE_TYPE]: 'Object',
  [`list<${MESSAGE_TYPE}>`]: 'list(JSONPatch)',
}

export function expressionErrors(expression: string, path: string, expectation: Expectation): FieldError[] {
  const problem = findProblem(expression, expectation)
  if (!problem) return []
  const { returns = '' } = expectation
  if ('program' in problem) return [internalError(path, `program instantiation failed: ${problem.program}`)]
  const message =
    'issue' in problem
      ? `compilation failed: ${problem.issue}`
      : `must evaluate to ${RESULT_NAMES[returns] ?? returns}`
  return [invalidValue(path, expression, message)]
}

const MOST_CONDITIONS = 64

export function conditionErrors(
  conditions: readonly MatchCondition[],
  path: string,
  hasParams: boolean,
): FieldError[] {
  const seen = new Set<string>()
  const errors = conditions.flatMap(({ name, expression }, index) => {
    const at = `${path}[${index}]`
    const { condition } = policyScope(hasParams)
    const found = expression?.trim()
      ? expressionErrors(expression.trim(), `${at}.expression`, condition)
      : [required(`${at}.expression`, '')]
    found.push(...(name ? each(`${at}.name`, name, isQualifiedName) : [required(`${at}.name`, '')]))
    if (seen.has(name)) found.push(duplicate(`${at}.name`, name))
    if (name) seen.add(name)
    return found
  })
  return conditions.length > MOST_CONDITIONS
    ? [tooMany(path, conditions.length, MOST_CONDITIONS), ...errors]
    : errors
}

const RESERVED =
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  )

export function variableErrors(
  variables: readonly Variable[],
  path: string,
  hasParams: boolean,
): FieldError[] {
  return variables.flatMap(({ name, expression }, index) => {
    const at = `${path}[${index}]`
    const isIdentifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !RESERVED.includes(name)
    return [
      ...(name?.trim() ? [] : [required(`${at}.name`, 'name is not specified')]),
      ...(name?.trim() && !isIdentifier
        ? [invalidValue(`${at}.name`, name, 'name is not a valid CEL identifier')]
        : []),
      ...(expression?.trim()
        ? expressionErrors(expression, `${at}.expression`, policyScope(hasParams).variable)
        : [required(`${at}.expression`, 'expression is not specified')]),
    ]
  })
}
