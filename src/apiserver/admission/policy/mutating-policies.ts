// MutatingAdmissionPolicies: what their bindings change in the objects that they match.
// Upstream: apiserver admission/plugin/policy/mutating/dispatcher.go.
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../../api/kube-object.ts'
import { StatusError } from '../../../api/status-error.ts'
import type {
  MutatingAdmissionPolicyBinding as Binding,
  MutatingAdmissionPolicy as Policy,
} from '../../../api/types/admissionregistration-v1.ts'
import { type Shape, shapeOfKind } from '../../managed-fields/shape.ts'
import { type AdmissionAttributes, type AdmissionPlugin, refuse } from '../admission.ts'
import { type PolicyParts, paramsOf, resourcesMatch } from './matching.ts'
import { mutateObject } from './mutate-object.ts'
import { conditionsHold, requestVariables, withNamedVariables } from './variables.ts'

const GROUP = 'admissionregistration.k8s.io'

export interface MutatingPolicyParts extends PolicyParts {
  /** Of a custom kind; undefined when the kind is not one. */
  shapeOfCustom?(apiVersion: string, kind: string): Shape | undefined
}

/** One policy, bound once, with one parameter object. */
interface Invocation {
  policy: Policy
  binding: Binding
  params: KubeObject | undefined
}

interface PolicyError {
  policy: Policy
  binding: Binding
  message: string
  reason?: string
}

/** What a request's policies saw, so that those that ask for it are called again when others changed that. */
type Seen = Map<string, unknown>

/**
 * Two plugins: the second comes after the webhooks, and calls those policies again that want to see what others made of
 * the object.
 */
export function mutatingPolicies(
  parts: MutatingPolicyParts,
): [first: AdmissionPlugin, again: AdmissionPlugin] {
  const seenBy = new WeakMap<AdmissionAttributes, Seen>()
  const first: AdmissionPlugin = {
    name: 'MutatingAdmissionPolicy',
    async admit(attributes) {
      if (attributes.resource.group === GROUP || !attributes.object) return
      const policies = await parts.lookup.listAll(`${GROUP}/mutatingadmissionpolicies`)
      if (policies.length === 0) return
      const seen: Seen = new Map()
      seenBy.set(attributes, seen)
      await run(policies as unknown as Policy[], attributes, parts, seen, false)
    },
  }
  const again: AdmissionPlugin = {
    name: 'MutatingAdmissionPolicy/reinvocation',
    async admit(attributes) {
      const seen = seenBy.get(attributes)
      if (!seen || seen.size === 0) return
      const policies = await parts.lookup.listAll(`${GROUP}/mutatingadmissionpolicies`)
      await run(policies as unknown as Policy[], attributes, parts, seen, true)
    },
  }
  return [first, again]
}

async function run(
  policies: readonly Policy[],
  attributes: AdmissionAttributes,
  parts: MutatingPolicyParts,
  seen: Seen,
  isAgain: boolean,
): Promise<void> {
  const bindings = (await parts.lookup.listAll(
    `${GROUP}/mutatingadmissionpolicybindings`,
  )) as unknown as Binding[]
  const errors: PolicyError[] = []
  for (const policy of policies) {
    if (isAgain && policy.spec.reinvocationPolicy !== 'IfNeeded') continue
    for (const invocation of await invocationsOf(policy, bindings, attributes, parts, errors)) {
      const key = keyOf(invocation)
      if (isAgain && (!seen.has(key) || isDeepStrictEqual(seen.get(key), attributes.object))) continue
      const isInvoked = invoke(invocation, attributes, parts, errors)
      if (isInvoked && policy.spec.reinvocationPolicy === 'IfNeeded') {
        seen.set(key, structuredClone(attributes.object))
      }
    }
  }
  const counted = errors.filter(({ policy }) => policy.spec.failurePolicy !== 'Ignore')
  if (counted.length > 0) throw denial(attributes, counted)
}

const keyOf = ({ policy, binding, params }: Invocation) =>
  [policy, binding, params]
    .map(one => `${one?.metadata.namespace ?? ''}/${one?.metadata.name ?? ''}`)
    .join(' ')

async function invocationsOf(
  policy: Policy,
  bindings: readonly Binding[],
  attributes: AdmissionAttributes,
  parts: MutatingPolicyParts,
  errors: PolicyError[],
): Promise<Invocation[]> {
  const namespace = attributes.namespace ? parts.lookup.namespace(attributes.namespace) : undefined
  if (!resourcesMatch(policy.spec.matchConstraints, attributes, namespace, false)) return []
  const found: Invocation[] = []
  for (const binding of bindings) {
    if (binding.spec.policyName !== policy.metadata.name) continue
    if (!resourcesMatch(binding.spec.matchResources, attributes, namespace, true)) continue
    const params = await paramsOf(policy.spec.paramKind, binding.spec.paramRef, attributes, parts)
    if (params !== 'missing') found.push(...params.map(one => ({ policy, binding, params: one })))
    else if (binding.spec.paramRef?.parameterNotFoundAction !== 'Allow') {
      const message =
        'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction'
      errors.push({ policy, binding, message })
    }
  }
  return found
}

/** Were its conditions met? */
function invoke(
  { policy, binding, params }: Invocation,
  attributes: AdmissionAttributes,
  { lookup, authorizer, shapeOfCustom }: MutatingPolicyParts,
  errors: PolicyError[],
): boolean {
  const namespaceObject = attributes.namespace ? lookup.namespace(attributes.namespace) : undefined
  const { matchConditions = [], mutations = [], variables = [] } = policy.spec
  const { object } = attributes
  if (!object) return false
  const fail = (error: unknown) =>
    errors.push({
      policy,
      binding,
      reason: 'Invalid',
      message: error instanceof Error ? error.message : String(error),
    })
  const seenNow = () => requestVariables(attributes, { authorizer, namespaceObject, params })
  try {
    if (!conditionsHold(matchConditions, seenNow())) return false
  } catch (error) {
    fail(error)
    return false
  }
  const shape = shapeOfCustom?.(object.apiVersion, object.kind) ?? shapeOfKind(object.apiVersion, object.kind)
  for (const mutation of mutations) {
    try {
      const made = mutateObject(mutation, object, shape, withNamedVariables(seenNow(), variables))
      replaceObject(object, attributes.decode?.(structuredClone(made)) ?? made)
    } catch (error) {
      if (error instanceof StatusError) throw error
      fail(error)
    }
  }
  return true
}

/** The handler holds on to the object: it becomes the other one. */
function replaceObject(object: KubeObject, by: KubeObject): void {
  if (object === by) return
  const next = { ...by }
  for (const field of Object.keys(object)) delete object[field]
  Object.assign(object, next)
}

/** Upstream: generic/policy_dispatcher.go, which keeps the code of Forbidden whatever the reason. */
function denial(attributes: AdmissionAttributes, errors: readonly PolicyError[]): StatusError {
  const { status } = refuse(attributes, 'admission request denied by policy')
  const texts = errors.map(
    ({ policy, binding, message }) =>
      `policy '${policy.metadata.name}' with binding '${binding.metadata.name}' denied request: ${message}`,
  )
  return new StatusError({
    ...status,
    message: texts[0]!,
    reason: errors[0]!.reason ?? status.reason,
    details: { ...status.details, causes: texts.map(message => ({ message })) },
  })
}
