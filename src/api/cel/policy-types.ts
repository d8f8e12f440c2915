// Checks the expressions of a policy against the types of the resources that it is for. Pure.
// Upstream: apiserver admission/plugin/policy/validating/typechecking.go.
import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
} from '../types/admissionregistration-v1.ts'
import { type Expectation, findProblem, typeOfExpression } from './environment.ts'
import type { CelTypes } from './schema-types.ts'

export interface KindTypes extends CelTypes {
  group: string
  version: string
  kind: string
}

/** undefined: nobody knows the resource. */
export type TypeSource = (group: string, version: string, resource: string) => KindTypes | undefined

const MOST_KINDS = 10

/** One for each expression that does not fit; nothing for those whose resources are not named one by one. */
export function policyWarnings(policy: ValidatingAdmissionPolicy, typesOf: TypeSource): ExpressionWarning[] {
  const { matchConstraints, validations = [], variables = [], paramKind } = policy.spec
  const kinds = kindsOf(matchConstraints?.resourceRules ?? [], typesOf)
  const checks = kinds.map(kind => ({ kind, expectation: expectationOf(kind, variables, !!paramKind) }))
  const warningsOf = (expression: string | undefined, fieldRef: string): ExpressionWarning[] => {
    if (!expression) return []
    const found = checks.flatMap(({ kind, expectation }) => {
      const problem = findProblem(expression, expectation)
      return problem && 'issue' in problem ? [`${nameOf(kind)}: ${problem.issue}\n`] : []
    })
    return found.length > 0 ? [{ fieldRef, warning: found.join('\n') }] : []
  }
  return validations.flatMap(({ expression, messageExpression }, index) => [
    ...warningsOf(expression, `spec.validations[${index}].expression`),
    ...warningsOf(messageExpression, `spec.validations[${index}].messageExpression`),
  ])
}

/** As Go prints a GroupVersionKind. */
const nameOf = ({ group, version, kind }: KindTypes) => `${group}/${version}, Kind=${kind}`

function expectationOf(
  { root, types }: KindTypes,
  variables: readonly { name: string; expression: string }[],
  hasParams: boolean,
): Expectation {
  const known: Record<string, string> = {
    object: root,
    oldObject: root,
    request: 'dyn',
    namespaceObject: 'dyn',
    authorizer: 'dyn',
    ...(hasParams && { params: 'dyn' }),
  }
  const named: Record<string, string> = {}
  const now = (): Expectation => ({
    variables: { ...known, variables: 'Variables' },
    types: { ...types, Variables: { ...named } },
  })
  for (const { name, expression } of variables) named[name] = typeOfExpression(expression, now())
  return now()
}

/** In the order of their names; resources behind a wildcard are not looked at. */
function kindsOf(rules: readonly NamedRuleWithOperations[], typesOf: TypeSource): KindTypes[] {
  const isOpen = (names: readonly string[]) => names.some(name => name.includes('*'))
  const found = new Map<string, KindTypes>()
  for (const { apiGroups = [], apiVersions = [], resources = [] } of rules) {
    if (isOpen(apiGroups) || isOpen(apiVersions)) continue
    const plain = resources.filter(resource => !/[*/]/.test(resource))
    for (const group of apiGroups)
      for (const version of apiVersions)
        for (const resource of plain) {
          const types = typesOf(group, version, resource)
          if (types && found.size < MOST_KINDS) found.set(nameOf(types), types)
        }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, types]) => types)
}
