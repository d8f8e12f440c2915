// Defaults of networking, RBAC and definitions of custom resources. Upstream: pkg/apis/networking/v1/defaults.go, pkg/apis/rbac/v1/defaults.go.
import type { CustomResourceDefinition } from '../types/apiextensions-v1.ts'
import type { NetworkPolicy } from '../types/networking-v1.ts'
import type { ClusterRoleBinding, RoleBinding } from '../types/rbac-v1.ts'
import type { CSIDriver } from '../types/storage-v1.ts'

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

/** Upstream: SetDefaults_CSIDriver. */
export function defaultDriver({ spec }: CSIDriver): void {
  if (!spec) return
  spec.attachRequired ??= true
  spec.podInfoOnMount ??= false
  spec.storageCapacity ??= false
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent']
  spec.requiresRepublish ??= false
  spec.seLinuxMount ??= false
}
