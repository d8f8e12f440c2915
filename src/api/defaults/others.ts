// Defaults of networking, RBAC and definitions of custom resources. Upstream: pkg/apis/networking/v1/defaults.go, pkg/apis/rbac/v1/defaults.go.
import type { CustomResourceDefinition } from '../types/apiextensions-v1.ts'
import type { NetworkPolicy } from '../types/networking-v1.ts'
import type { ClusterRoleBinding, RoleBinding } from '../types/rbac-v1.ts'

const RBAC = 'rbac.authorization.k8s.io'

export function defaultNetworkPolicy({ spec }: NetworkPolicy): void {
  if (!spec) return
  if (!spec.policyTypes || spec.policyTypes.length === 0) {
    spec.policyTypes = (spec.egress?.length ?? 0) > 0 ? ['Ingress', 'Egress'] : ['Ingress']
  }
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
  }
}

export function defaultRoleBinding(binding: RoleBinding | ClusterRoleBinding): void {
  binding.roleRef.apiGroup ||= RBAC
  for (const subject of binding.subjects ?? []) {
    if (!subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = RBAC
  }
}

/** Upstream: apiextensions SetDefaults_CustomResourceDefinitionSpec. */
export function defaultDefinition({ spec }: CustomResourceDefinition): void {
  const { names } = spec
  names.singular ||= (names.kind ?? '').toLowerCase()
  names.listKind ||= names.kind ? `${names.kind}List` : ''
  spec.conversion ??= { strategy: 'None' }
}
