// ValidatingAdmissionPolicies: what their bindings say of the requests that they match.
// Upstream: apiserver admission/plugin/policy/validating.
import { CelError, compile } from '../../../api/cel/environment.ts'
import { StatusError } from '../../../api/status-error.ts'
import type {
  ValidatingAdmissionPolicyBinding as Binding,
  ValidatingAdmissionPolicy as Policy,
  Validation,
} from '../../../api/types/admissionregistration-v1.ts'
import { type AdmissionAttributes, type AdmissionPlugin, refuse } from '../admission.ts'
import { type PolicyParts, paramsOf, resourcesMatch } from './matching.ts'
import { conditionsHold, requestVariables, type Variables, withNamedVariables } from './variables.ts'

const GROUP = 'admissionregistration.k8s.io'

/** Something that a policy has against a request. */
interface Finding {
  policy: Policy
  binding: Binding
  message: string
  reason?: string
}

export function validatingPolicies(parts: PolicyParts): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionPolicy',
    async validate(attributes) {
      if (attributes.resource.group === GROUP) return
      const bindings = (await parts.lookup.listAll(
        `${GROUP}/validatingadmissionpolicybindings`,
      )) as unknown as Binding[]
      if (bindings.length === 0) return
      const findings: Finding[] = []
      for (const binding of bindings) findings.push(...(await judge(binding, attributes, parts)))
      for (const finding of findings) warnOf(attributes, finding)
      const denied = findings.find(({ binding }) => binding.spec.validationActions?.includes('Deny'))
      if (denied) throw denial(attributes, denied)
    },
  }
}

async function judge(
  binding: Binding,
  attributes: AdmissionAttributes,
  parts: PolicyParts,
): Promise<Finding[]> {
  const { lookup } = parts
  const policy = lookup.find(
    `${GROUP}/validatingadmissionpolicies`,
    binding.spec.policyName ?? '',
  ) as unknown as Policy | undefined
  const namespaceObject = attributes.namespace ? lookup.namespace(attributes.namespace) : undefined
  if (!policy) return []
  const { matchConstraints, matchConditions = [], variables: named = [] } = policy.spec
  if (!resourcesMatch(matchConstraints, attributes, namespaceObject, false)) return []
  if (!resourcesMatch(binding.spec.matchResources, attributes, namespaceObject, true)) return []
  const isStrict = policy.spec.failurePolicy !== 'Ignore'
  const params = await paramsOf(policy.spec.paramKind, binding.spec.paramRef, attributes, parts)
  if (params === 'missing') {
    const allows = binding.spec.paramRef?.parameterNotFoundAction === 'Allow' || !isStrict
    const message =
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction'
    return allows ? [] : [{ policy, binding, message }]
  }
  return params.flatMap(param => {
    const base = requestVariables(attributes, {
      authorizer: parts.authorizer,
      namespaceObject,
      params: param,
    })
    const variables = withNamedVariables(base, named)
    try {
      if (!conditionsHold(matchConditions, base)) return []
    } catch (error) {
      return isStrict ? [{ policy, binding, message: messageOf(error) }] : []
    }
    return (policy.spec.validations ?? [])
      .flatMap(validation => problem(validation, variables, isStrict))
      .map(found => ({ policy, binding, ...found }))
  })
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

function problem(
  validation: Validation,
  variables: Variables,
  isStrict: boolean,
): { message: string; reason?: string }[] {
  const { expression, reason } = validation
  try {
    if (compile(expression)(variables) === true) return []
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return isStrict ? [{ message: `expression '${expression}' resulted in error: ${error.message}` }] : []
  }
  return [{ message: textOf(validation, variables), ...(reason && { reason }) }]
}

function textOf({ expression, message, messageExpression }: Validation, variables: Variables): string {
  const fallback = message || `failed expression: ${expression.trim()}`
  if (!messageExpression) return fallback
  try {
    const text = compile(messageExpression)(variables)
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text.trim() : fallback
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return fallback
  }
}

function warnOf(attributes: AdmissionAttributes, { policy, binding, message }: Finding): void {
  if (!binding.spec.validationActions?.includes('Warn')) return
  attributes.warn(
    `Validation failed for ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}': ${message}`,
  )
}

const CODES: Record<string, number | undefined> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
}

function denial(
  attributes: AdmissionAttributes,
  { policy, binding, message, reason = 'Invalid' }: Finding,
): StatusError {
  const text = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`
  const { status } = refuse(attributes, text)
  return new StatusError({
    ...status,
    reason,
    code: CODES[reason] ?? 422,
    details: { ...status.details, causes: [{ message: text }] },
  })
}
