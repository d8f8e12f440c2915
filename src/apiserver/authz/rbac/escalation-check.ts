// Nobody grants more than they hold: roles with more than their author has, and bindings to such roles, are refused,
// unless the author may `escalate` or `bind`. Runs after every plugin that changes objects.
// Upstream: pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased.
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../../api/kube-object.ts'
import type { UserInfo } from '../../../api/request.ts'
import { forbidden, notFound } from '../../../api/status-error.ts'
import type { ClusterRole, PolicyRule, RoleBinding, RoleRef } from '../../../api/types/rbac-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../../admission/admission.ts'
import type { Authorizer, ResourceAttributes } from '../authorizer.ts'
import { isMaster } from '../union-authorizer.ts'
import type { PolicyIndex } from './policy-index.ts'
import { compactRules, describeRule, missingRules, quoteList } from './policy-rule.ts'
import type { RuleResolver } from './rbac-authorizer.ts'

const GROUP = 'rbac.authorization.k8s.io'
const EVERYTHING: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

export interface EscalationParts {
  authorizer: Authorizer
  resolver: RuleResolver
  index: PolicyIndex
}

export function escalationCheck(parts: EscalationParts): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    async admit(attributes) {
      const { resource, operation, object, user, subresource } = attributes
      if (resource.group !== GROUP || subresource || !object) return
      if (operation !== 'CREATE' && operation !== 'UPDATE') return
      if (isMaster(user) || changesOwnersOnly(attributes)) return
      if (resource.resource.endsWith('roles')) await checkRole(attributes, object, parts)
      else await checkBinding(attributes, object, parts)
    },
  }
}

/** The garbage collector may write finalizers and owners of what it could not grant. Upstream: IsOnlyMutatingGCFields. */
function changesOwnersOnly({ object, oldObject }: AdmissionAttributes): boolean {
  if (!object || !oldObject) return false
  const rest = ({ metadata, ...fields }: KubeObject) => {
    const { ownerReferences: _, finalizers: __, managedFields: ___, ...others } = metadata
    return { ...fields, metadata: others }
  }
  return isDeepStrictEqual(rest(object), rest(oldObject))
}

async function checkRole(
  attributes: AdmissionAttributes,
  object: KubeObject,
  parts: EscalationParts,
): Promise<void> {
  const { resource, user, namespace = '', oldObject } = attributes
  const name = object.metadata.name || attributes.name
  const role = object as unknown as ClusterRole
  if (await isAllowed(parts, { user, verb: 'escalate', resource: resource.resource, namespace, name })) return
  const usesAggregation =
    role.aggregationRule || (oldObject as unknown as ClusterRole | undefined)?.aggregationRule
  if (usesAggregation && missingOf(parts, user, namespace, EVERYTHING).length > 0) {
    throw forbidden(resource, name, 'must have cluster-admin privileges to use the aggregationRule')
  }
  confirm(attributes, name, role.rules ?? [], parts)
}

async function checkBinding(
  attributes: AdmissionAttributes,
  object: KubeObject,
  parts: EscalationParts,
): Promise<void> {
  const { user, namespace = '' } = attributes
  const { roleRef } = object as unknown as RoleBinding
  const resource = roleRef.kind === 'Role' ? 'roles' : 'clusterroles'
  if (await isAllowed(parts, { user, verb: 'bind', resource, namespace, name: roleRef.name })) return
  const rules = resolve(roleRef, namespace, resource, parts)
  confirm(attributes, object.metadata.name || attributes.name, rules, parts)
}

function resolve(
  roleRef: RoleRef,
  namespace: string,
  resource: string,
  { index }: EscalationParts,
): readonly PolicyRule[] {
  const rules = index.rulesOf(roleRef, namespace)
  if (!rules) throw notFound({ group: GROUP, resource }, roleRef.name)
  return rules
}

type Question = Omit<ResourceAttributes, 'group' | 'version'>

async function isAllowed({ authorizer }: EscalationParts, question: Question): Promise<boolean> {
  const { decision } = await authorizer.authorize({ ...question, group: GROUP, version: 'v1' })
  return decision === 'allow'
}

function missingOf(
  { resolver }: EscalationParts,
  user: UserInfo,
  namespace: string,
  rules: readonly PolicyRule[],
) {
  return missingRules(resolver.rulesOf(user, namespace).rules, rules)
}

/** Throws Forbidden with what the user lacks. Upstream: ConfirmNoEscalation. */
function confirm(
  { resource, user, namespace = '' }: AdmissionAttributes,
  name: string,
  rules: readonly PolicyRule[],
  parts: EscalationParts,
): void {
  const missing = missingOf(parts, user, namespace, rules)
  if (missing.length === 0) return
  const texts = [...new Set(compactRules(missing).map(describeRule))].sort()
  const { errors } = parts.resolver.rulesOf(user, namespace)
  const unresolved = errors.length > 0 ? `; resolution errors: [${errors.join(', ')}]` : ''
  throw forbidden(
    resource,
    name,
    `user ${goQuote(user.name)} (groups=${quoteList(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${texts.join('\n')}${unresolved}`,
  )
}
