// Roles and bindings. Upstream: pkg/apis/rbac/validation.
import { isDns1123Subdomain, isPathSegmentName } from '../names.ts'
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from '../types/rbac-v1.ts'
import { each, type FieldError, invalidValue, notSupported, required, same } from './field-error.ts'
import { validateLabelSelector } from './label-selector.ts'
import type { Validator } from './validator.ts'

const GROUP = 'rbac.authorization.k8s.io'

function validateRule(rule: PolicyRule, namespaced: boolean, path: string): FieldError[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  const errors: FieldError[] = []
  if (verbs.length === 0) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'))
  if (nonResourceURLs.length > 0) {
    const field = `${path}.nonResourceURLs`
    if (namespaced)
      errors.push(invalidValue(field, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups.length + resources.length + resourceNames.length > 0)
      errors.push(
        invalidValue(
          field,
          nonResourceURLs,
          'rules cannot apply to both regular resources and non-resource URLs',
        ),
      )
    return errors
  }
  if (apiGroups.length === 0)
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  if (resources.length === 0)
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'))
  return errors
}

function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => validateRule(rule, namespaced, `rules[${index}]`))
}

function validateClusterRole({ rules, aggregationRule }: ClusterRole): FieldError[] {
  const errors = validateRules(rules, false)
  if (!aggregationRule) return errors
  const { clusterRoleSelectors = [] } = aggregationRule
  const path = 'aggregationRule.clusterRoleSelectors'
  if (clusterRoleSelectors.length === 0)
    return [
      ...errors,
      required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'),
    ]
  return [
    ...errors,
    ...clusterRoleSelectors.flatMap((selector, index) =>
      validateLabelSelector(selector, `${path}[${index}]`),
    ),
  ]
}

function validateRoleRef(roleRef: RoleRef, kinds: readonly string[]): FieldError[] {
  const { apiGroup = '', kind = '', name } = roleRef
  return [
    ...(apiGroup === GROUP ? [] : [notSupported('roleRef.apiGroup', apiGroup, [GROUP])]),
    ...(kinds.includes(kind) ? [] : [notSupported('roleRef.kind', kind, kinds)]),
    ...(name ? each('roleRef.name', name, isPathSegmentName) : [required('roleRef.name')]),
  ]
}

function validateSubject(
  { kind, name, apiGroup = '', namespace }: Subject,
  namespaced: boolean,
  path: string,
): FieldError[] {
  const errors: FieldError[] = name ? [] : [required(`${path}.name`)]
  switch (kind) {
    case 'ServiceAccount':
      if (name) errors.push(...each(`${path}.name`, name, isDns1123Subdomain))
      if (apiGroup) errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']))
      if (!namespaced && !namespace) errors.push(required(`${path}.namespace`))
      return errors
    case 'User':
    case 'Group':
      if (!name) errors.push(invalidValue(`${path}.name`, '', `${kind.toLowerCase()} name cannot be empty`))
      if (apiGroup !== GROUP) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [GROUP]))
      return errors
    default:
      return [...errors, notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group'])]
  }
}

function validateBinding(
  { roleRef, subjects = [] }: Pick<RoleBinding, 'roleRef' | 'subjects'>,
  namespaced: boolean,
): FieldError[] {
  return [
    ...validateRoleRef(roleRef, namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']),
    ...subjects.flatMap((subject, index) => validateSubject(subject, namespaced, `subjects[${index}]`)),
  ]
}

function roleStays<T extends { roleRef: RoleRef }>({ roleRef }: T, old: T): FieldError[] {
  if (same(roleRef, old.roleRef)) return []
  // Upstream shows its internal type, which writes its fields as Go names them.
  const shown = { APIGroup: roleRef.apiGroup, Kind: roleRef.kind, Name: roleRef.name }
  return [invalidValue('roleRef', shown, 'cannot change roleRef')]
}

export const rbacChecks: Record<string, Validator> = {
  [`${GROUP}/Role`]: { name: isPathSegmentName, create: ({ rules }: Role) => validateRules(rules, true) },
  [`${GROUP}/ClusterRole`]: { name: isPathSegmentName, create: validateClusterRole },
  [`${GROUP}/RoleBinding`]: {
    name: isPathSegmentName,
    create: (binding: RoleBinding) => validateBinding(binding, true),
    update: roleStays<RoleBinding>,
  },
  [`${GROUP}/ClusterRoleBinding`]: {
    name: isPathSegmentName,
    create: (binding: ClusterRoleBinding) => validateBinding(binding, false),
    update: roleStays<ClusterRoleBinding>,
  },
}
