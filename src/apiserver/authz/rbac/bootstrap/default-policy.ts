// All roles and bindings that every cluster begins with, by resource.

import { aggregateRoles } from '../../../../api/rbac/aggregate-roles.ts'
import type { ClusterRole, Role, RoleBinding } from '../../../../api/types/rbac-v1.ts'
import { clusterRoleBindings, clusterRoles } from './cluster-roles.ts'
import { controllerRoleBindings, controllerRoles } from './controller-roles.ts'
import { namespaceRoleBindings, namespaceRoles } from './namespace-roles.ts'
import type { Draft } from './policy-notation.ts'

interface Of<T> {
  resource: string
  object: Draft<T>
}

export function defaultPolicy(): { roles: Of<ClusterRole | Role>[]; bindings: Of<RoleBinding>[] } {
  const of =
    (resource: string) =>
    <T>(object: Draft<T>): Of<T> => ({ resource, object })
  return {
    roles: [
      ...aggregateRoles([...clusterRoles, ...controllerRoles]).map(of('clusterroles')),
      ...namespaceRoles.map(of('roles')),
    ] as Of<ClusterRole | Role>[],
    bindings: [
      ...[...clusterRoleBindings, ...controllerRoleBindings].map(of('clusterrolebindings')),
      ...namespaceRoleBindings.map(of('rolebindings')),
    ] as Of<RoleBinding>[],
  }
}
