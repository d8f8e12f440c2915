// Policies of admission and their bindings. Upstream: pkg/apis/admissionregistration/validation.
import { isDns1035Label, isDns1123Subdomain, isQualifiedName } from '../names.ts'
import type {
  AuditAnnotation,
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  Mutation,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
} from '../types/admissionregistration-v1.ts'
import { ruleErrors } from './admission-registration.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from './field-error.ts'
import { validateLabelSelector } from './label-selector.ts'
import {
  conditionErrors,
  expressionErrors,
  type PolicyScope,
  policyScope,
  variableErrors,
} from './policy-expressions.ts'
import type { Validator } from './validator.ts'

const FAILURE_POLICIES = ['Fail', 'Ignore']
const MATCH_POLICIES = ['Equivalent', 'Exact']
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge', 'Unauthorized']
const ACTIONS = ['Audit', 'Deny', 'Warn']
const PATCH_TYPES = ['ApplyConfiguration', 'JSONPatch']
const REINVOCATION_POLICIES = ['IfNeeded', 'Never']
const MUTATING_OPERATIONS = ['*', 'CONNECT', 'CREATE', 'UPDATE']
const MOST_AUDIT_ANNOTATIONS = 20
const LONGEST_AUDIT_EXPRESSION = 5 * 1024

const oneOf = (path: string, value: string | undefined, known: readonly string[]): FieldError[] => {
  if (!value) return [required(path, '')]
  return known.includes(value) ? [] : [notSupported(path, value, known)]
}

/** What both kinds of policies have. */
function policyErrors({ spec }: ValidatingAdmissionPolicy | MutatingAdmissionPolicy): FieldError[] {
  const { matchConstraints, matchConditions = [], variables = [], failurePolicy, paramKind } = spec
  const hasParams = paramKind !== undefined
  return [
    ...oneOf('spec.failurePolicy', failurePolicy, FAILURE_POLICIES),
    ...(paramKind ? paramKindErrors(paramKind, 'spec.paramKind') : []),
    ...(matchConstraints
      ? matchErrors(matchConstraints, 'spec.matchConstraints')
      : [required('spec.matchConstraints', '')]),
    ...(matchConstraints && (matchConstraints.resourceRules ?? []).length === 0
      ? [required('spec.matchConstraints.resourceRules', '')]
      : []),
    ...conditionErrors(matchConditions, 'spec.matchConditions', hasParams),
    ...variableErrors(variables, 'spec.variables', hasParams),
  ]
}

function paramKindErrors({ apiVersion = '', kind = '' }: ParamKind, path: string): FieldError[] {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/', 2) : ['', apiVersion]
  const errors: FieldError[] = []
  if (!apiVersion) errors.push(required(`${path}.apiVersion`, ''))
  else {
    if (group) errors.push(...each(`${path}.apiVersion`, group, isDns1123Subdomain))
    errors.push(...each(`${path}.apiVersion`, version ?? '', isDns1035Label))
  }
  if (!kind) return [...errors, required(`${path}.kind`, '')]
  const wrong = isDns1035Label(kind.toLowerCase())
  const text = `may have mixed case, but should otherwise match: ${wrong.join(',')}`
  return wrong.length > 0 ? [...errors, invalidValue(`${path}.kind`, kind, text)] : errors
}

function matchErrors(match: MatchResources, path: string): FieldError[] {
  const { matchPolicy, namespaceSelector, objectSelector } = match
  const rules = (list: readonly NamedRuleWithOperations[] = [], field: string) =>
    list.flatMap((rule, index) => namedRuleErrors(rule, `${path}.${field}[${index}]`))
  return [
    ...oneOf(`${path}.matchPolicy`, matchPolicy, MATCH_POLICIES),
    ...(namespaceSelector
      ? validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`)
      : [required(`${path}.namespaceSelector`, '')]),
    ...(objectSelector
      ? validateLabelSelector(objectSelector, `${path}.objectSelector`)
      : [required(`${path}.objectSelector`, '')]),
    ...rules(match.resourceRules, 'resourceRules'),
    ...rules(match.excludeResourceRules, 'excludeResourceRules'),
  ]
}

function namedRuleErrors(rule: NamedRuleWithOperations, path: string): FieldError[] {
  const { resourceNames = [] } = rule
  const twice = resourceNames.flatMap((name, index) =>
    resourceNames.indexOf(name) < index ? [duplicate(`${path}.resourceNames[${index}]`, name)] : [],
  )
  return [...twice, ...ruleErrors(rule, path)]
}

function validateValidatingPolicy(policy: ValidatingAdmissionPolicy): FieldError[] {
  const { validations = [], auditAnnotations = [], paramKind } = policy.spec
  const scope = policyScope(paramKind !== undefined)
  const nothing = 'validations or auditAnnotations must contain at least one item'
  if (validations.length + auditAnnotations.length === 0) {
    const missing = [required('spec.validations', nothing), required('spec.auditAnnotations', nothing)]
    return [...policyErrors(policy), ...missing]
  }
  return [
    ...policyErrors(policy),
    ...validations.flatMap((one, index) => validationErrors(one, `spec.validations[${index}]`, scope)),
    ...auditErrors(auditAnnotations, policy.metadata.name, scope),
  ]
}

function validationErrors(validation: Validation, path: string, scope: PolicyScope): FieldError[] {
  const { expression, message, messageExpression, reason } = validation
  const errors = expression?.trim()
    ? expressionErrors(expression, `${path}.expression`, scope.validation)
    : [required(`${path}.expression`, 'expression is not specified')]
  if (messageExpression?.trim()) {
    errors.push(...expressionErrors(messageExpression, `${path}.messageExpression`, scope.message))
  } else if (messageExpression) {
    const text = 'must be non-empty if specified'
    errors.push(invalidValue(`${path}.messageExpression`, messageExpression, text))
  }
  if (message && !message.trim()) {
    errors.push(invalidValue(`${path}.message`, message, 'message must be non-empty if specified'))
  } else if (message && /[\n\r]/.test(message.trim())) {
    errors.push(invalidValue(`${path}.message`, message, 'message must not contain line breaks'))
  }
  if (reason && !REASONS.includes(reason)) errors.push(notSupported(`${path}.reason`, reason, REASONS))
  return errors
}

function auditErrors(
  annotations: readonly AuditAnnotation[],
  name: string,
  scope: PolicyScope,
): FieldError[] {
  const path = 'spec.auditAnnotations'
  const errors: FieldError[] = []
  if (annotations.length > MOST_AUDIT_ANNOTATIONS) {
    const text = `must not have more than ${MOST_AUDIT_ANNOTATIONS} auditAnnotations`
    errors.push(invalidValue(path, annotations, text))
  }
  for (const [index, { key, valueExpression }] of annotations.entries()) {
    const at = `${path}[${index}]`
    errors.push(...each(`${at}.key`, `${name}/${key}`, isQualifiedName))
    const trimmed = valueExpression?.trim() ?? ''
    if (!trimmed) errors.push(required(`${at}.valueExpression`, 'valueExpression is not specified'))
    else if (trimmed.length > LONGEST_AUDIT_EXPRESSION) {
      const text = `must not exceed ${LONGEST_AUDIT_EXPRESSION} bytes in length`
      errors.push(required(`${at}.valueExpression`, text))
    } else errors.push(...expressionErrors(trimmed, `${at}.valueExpression`, scope.audit))
    if (annotations.findIndex(other => other.key === key) < index) errors.push(duplicate(`${at}.key`, key))
  }
  return errors
}

function validateMutatingPolicy(policy: MutatingAdmissionPolicy): FieldError[] {
  const { mutations = [], paramKind, reinvocationPolicy, matchConstraints } = policy.spec
  const scope = policyScope(paramKind !== undefined)
  const operations = (matchConstraints?.resourceRules ?? []).flatMap(({ operations: list = [] }, index) =>
    list.flatMap(one => {
      const at = `spec.matchConstraints.resourceRules[${index}].operations`
      return one === 'DELETE' ? [notSupported(at, one, MUTATING_OPERATIONS)] : []
    }),
  )
  return [
    ...policyErrors(policy),
    ...operations,
    ...(mutations.length === 0
      ? [required('spec.mutations', 'mutations must contain at least one item')]
      : []),
    ...mutations.flatMap((one, index) => mutationErrors(one, `spec.mutations[${index}]`, scope)),
    ...oneOf('spec.reinvocationPolicy', reinvocationPolicy, REINVOCATION_POLICIES),
  ]
}

/** A patch of the type that is named, and none of the other. */
function mutationErrors(mutation: Mutation, path: string, scope: PolicyScope): FieldError[] {
  const { patchType, applyConfiguration, jsonPatch } = mutation
  const errors = oneOf(`${path}.patchType`, patchType, PATCH_TYPES)
  if (errors.length > 0) return errors
  const isApply = patchType === 'ApplyConfiguration'
  const [field, other] = isApply ? ['applyConfiguration', 'jsonPatch'] : ['jsonPatch', 'applyConfiguration']
  const wanted = isApply ? applyConfiguration : jsonPatch
  const unwanted = isApply ? jsonPatch : applyConfiguration
  if (!wanted) errors.push(required(`${path}.${field}`, `must be specified when patchType is ${patchType}`))
  else if (!wanted.expression?.trim())
    errors.push(required(`${path}.${field}.expression`, 'expression is not specified'))
  else {
    const expectation = isApply ? scope.object : scope.patches
    errors.push(...expressionErrors(wanted.expression.trim(), `${path}.${field}.expression`, expectation))
  }
  if (unwanted) {
    const text = `must not be specified when patchType is ${patchType}`
    errors.push(invalidValue(`${path}.${other}`, `{${other}}`, text))
  }
  return errors
}

function bindingErrors({
  spec: { policyName, paramRef, matchResources },
}: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding): FieldError[] {
  return [
    ...(policyName
      ? each('spec.policyName', policyName, isDns1123Subdomain)
      : [required('spec.policyName', '')]),
    ...(paramRef ? paramRefErrors(paramRef, 'spec.paramRef') : []),
    ...(matchResources ? matchErrors(matchResources, 'spec.matchResources') : []),
  ]
}

function paramRefErrors({ name, selector, parameterNotFoundAction }: ParamRef, path: string): FieldError[] {
  const errors: FieldError[] = []
  const text = 'name and selector are mutually exclusive'
  if (name && selector) errors.push(forbiddenField(`${path}.name`, text))
  if (selector) errors.push(...validateLabelSelector(selector, `${path}.selector`))
  if (name && selector) errors.push(forbiddenField(`${path}.selector`, text))
  if (!name && !selector) errors.push(required(path, 'one of name or selector must be specified'))
  errors.push(...oneOf(`${path}.parameterNotFoundAction`, parameterNotFoundAction, ['Deny', 'Allow']))
  return errors
}

function validateValidatingBinding(binding: ValidatingAdmissionPolicyBinding): FieldError[] {
  const { validationActions = [] } = binding.spec
  const path = 'spec.validationActions'
  const errors = validationActions.flatMap((action, index) => [
    ...(ACTIONS.includes(action) ? [] : [notSupported(`${path}[${index}]`, action, ACTIONS)]),
    ...(validationActions.indexOf(action) < index ? [duplicate(`${path}[${index}]`, action)] : []),
  ])
  if (validationActions.includes('Deny') && validationActions.includes('Warn')) {
    const text =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'
    errors.push(invalidValue(path, validationActions, text))
  }
  if (validationActions.length === 0)
    errors.push(required(path, 'at least one validation action is required'))
  return [...bindingErrors(binding), ...errors]
}

const GROUP = 'admissionregistration.k8s.io'

export const admissionPolicyChecks: Record<string, Validator> = {
  [`${GROUP}/ValidatingAdmissionPolicy`]: { create: validateValidatingPolicy },
  [`${GROUP}/ValidatingAdmissionPolicyBinding`]: { create: validateValidatingBinding },
  [`${GROUP}/MutatingAdmissionPolicy`]: { create: validateMutatingPolicy },
  [`${GROUP}/MutatingAdmissionPolicyBinding`]: { create: bindingErrors },
}
