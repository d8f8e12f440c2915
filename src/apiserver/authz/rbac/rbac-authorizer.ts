// Answers from roles and bindings. Allows or has no opinion; nothing is ever denied.
// Upstream: plugin/pkg/auth/authorizer/rbac.
import type { UserInfo } from '../../../api/request.ts'
import type { NonResourceRule, ResourceRule } from '../../../api/types/authorization-v1.ts'
import type { PolicyRule, RoleRef, Subject } from '../../../api/types/rbac-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import { type Attributes, type Authorizer, type Decision, isNonResource } from '../authorizer.ts'
import type { SubjectRules } from '../rules.ts'
import type { Grant, PolicyIndex } from './policy-index.ts'
import { ruleAllows } from './policy-rule.ts'

/** The rules that hold for a user in a namespace, for the checks against granting more than one has. */
export interface RuleResolver {
  rulesOf(user: UserInfo, namespace: string): { rules: PolicyRule[]; errors: string[] }
}

export class RbacAuthorizer implements Authorizer, RuleResolver {
  readonly #index: PolicyIndex

  constructor(index: PolicyIndex) {
    this.#index = index
  }

  authorize(attributes: Attributes): Decision {
    const namespace = isNonResource(attributes) ? '' : (attributes.namespace ?? '')
    const errors: string[] = []
    for (const grant of this.#index.grantsOf(attributes.user, namespace)) {
      const rules = this.#index.rulesOf(grant.binding.roleRef, grant.namespace)
      if (!rules) errors.push(roleMissing(grant.binding.roleRef))
      else if (rules.some(rule => ruleAllows(attributes, rule))) {
        return { decision: 'allow', reason: `RBAC: allowed by ${describe(grant)}` }
      }
    }
    return errors.length > 0 ? { decision: 'noOpinion', reason: `RBAC: ${aggregate(errors)}` } : NO_OPINION
  }

  rulesOf(user: UserInfo, namespace: string): { rules: PolicyRule[]; errors: string[] } {
    const rules: PolicyRule[] = []
    const errors: string[] = []
    for (const grant of this.#index.grantsOf(user, namespace)) {
      const granted = this.#index.rulesOf(grant.binding.roleRef, grant.namespace)
      if (granted) rules.push(...granted)
      else errors.push(roleMissing(grant.binding.roleRef))
    }
    return { rules, errors }
  }

  rulesFor(user: UserInfo, namespace: string): SubjectRules {
    const { rules, errors } = this.rulesOf(user, namespace)
    return {
      resourceRules: rules.filter(({ resources = [] }) => resources.length > 0).map(resourceRule),
      nonResourceRules: rules.filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0).map(pathRule),
      incomplete: false,
      ...(errors.length > 0 && { evaluationError: aggregate(errors) }),
    }
  }
}

const NO_OPINION: Decision = { decision: 'noOpinion' }

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule): ResourceRule {
  return {
    verbs,
    ...(apiGroups && { apiGroups }),
    ...(resources && { resources }),
    ...(resourceNames && { resourceNames }),
  }
}

function pathRule({ verbs, nonResourceURLs }: PolicyRule): NonResourceRule {
  return { verbs, ...(nonResourceURLs && { nonResourceURLs }) }
}

/** As the listers of upstream's authorizer put it: the kind, not the plural. */
function roleMissing({ kind, name }: RoleRef): string {
  if (kind !== 'Role' && kind !== 'ClusterRole') return `unsupported role reference kind: ${goQuote(kind)}`
  return `${kind.toLowerCase()}.rbac.authorization.k8s.io ${goQuote(name)} not found`
}

/** Upstream: utilerrors.Aggregate; the same text is told once. */
function aggregate(errors: readonly string[]): string {
  const texts = [...new Set(errors)]
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}

function describe({ binding, subject, namespace }: Grant): string {
  const { roleRef, metadata } = binding
  const what = namespace
    ? `RoleBinding ${goQuote(`${metadata.name}/${namespace}`)}`
    : `ClusterRoleBinding ${goQuote(metadata.name)}`
  return `${what} of ${roleRef.kind} ${goQuote(roleRef.name)} to ${describeSubject(subject, namespace)}`
}

function describeSubject({ kind, name, namespace }: Subject, home: string): string {
  return `${kind} ${goQuote(kind === 'ServiceAccount' ? `${name}/${namespace || home}` : name)}`
}
