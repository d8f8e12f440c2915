// ValidatingAdmissionPolicies: what their bindings say of the requests that they match.
// Upstream: apiserver admission/plugin/policy/validating.
import { CelError, compile } from '../../../api/cel/environment.ts'
import type { KubeObject } from '../../../api/kube-object.ts'
import { matcherOf } from '../../../api/labels.ts'
import { StatusError } from '../../../api/status-error.ts'
import type {
  ValidatingAdmissionPolicyBinding as Binding,
  MatchResources,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy as Policy,
  Validation,
} from '../../../api/types/admissionregistration-v1.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import { type AdmissionAttributes, type AdmissionPlugin, refuse } from '../admission.ts'
import type { ObjectLookup } from '../object-lookup.ts'
import { ruleMatches, wants } from '../webhook/matching.ts'
import { conditionsHold, requestVariables, type Variables, withNamedVariables } from './variables.ts'

const GROUP = 'admissionregistration.k8s.io'

export interface PolicyParts {
  lookup: ObjectLookup
  authorizer: Authorizer
  /** The resource that serves a kind. */
  resourceOf(
    apiVersion: string,
    kind: string,
  ): { group: string; resource: string; namespaced: boolean } | undefined
}

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

/** `emptyIsAll`: a binding without rules adds no condition, a policy without rules matches nothing. */
function resourcesMatch(
  match: MatchResources | undefined,
  attributes: AdmissionAttributes,
  namespace: KubeObject | undefined,
  emptyIsAll: boolean,
): boolean {
  if (!match) return emptyIsAll
  const { resourceRules = [], excludeResourceRules = [], namespaceSelector, objectSelector } = match
  if (excludeResourceRules.some(rule => namedRuleMatches(rule, attributes))) return false
  const everything = {
    operations: ['*'],
    apiGroups: ['*'],
    apiVersions: ['*'],
    resources: ['*', '*/*'],
  } as never
  const isOpen = emptyIsAll && resourceRules.length === 0
  if (!isOpen && !resourceRules.some(rule => namedRuleMatches(rule, attributes))) return false
  return wants({ rules: [everything], namespaceSelector, objectSelector }, attributes, namespace)
}

function namedRuleMatches(
  { resourceNames = [], ...rule }: NamedRuleWithOperations,
  attributes: AdmissionAttributes,
): boolean {
  const name = attributes.name || attributes.object?.metadata?.name || ''
  return ruleMatches(rule, attributes) && (resourceNames.length === 0 || resourceNames.includes(name))
}

/** One evaluation for each parameter object; a policy without parameters is evaluated once. */
async function paramsOf(
  kind: ParamKind | undefined,
  ref: ParamRef | undefined,
  { namespace = '' }: AdmissionAttributes,
  { lookup, resourceOf }: PolicyParts,
): Promise<(KubeObject | undefined)[] | 'missing'> {
  if (!kind) return [undefined]
  const served = resourceOf(kind.apiVersion ?? '', kind.kind ?? '')
  if (!ref || !served) return ref ? 'missing' : [undefined]
  const path = served.group ? `${served.group}/${served.resource}` : served.resource
  const home = served.namespaced ? ref.namespace || namespace : ''
  if (ref.name) {
    const found = served.namespaced ? lookup.findIn(path, home, ref.name) : lookup.find(path, ref.name)
    return found ? [found] : 'missing'
  }
  const all = served.namespaced ? await lookup.listIn(path, home) : await lookup.listAll(path)
  const selects = matcherOf(ref.selector ?? {})
  const found = all.filter(({ metadata }) => selects(metadata.labels))
  return found.length > 0 ? found : 'missing'
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
