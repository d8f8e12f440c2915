// A short way to write rules and roles down: lists are words, the core group is called 'core'.
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  Subject,
} from '../../../../api/types/rbac-v1.ts'

export const RBAC_GROUP = 'rbac.authorization.k8s.io'
export const API_VERSION = `${RBAC_GROUP}/v1`
export const AUTOUPDATE = 'rbac.authorization.kubernetes.io/autoupdate'

export const READ = 'get list watch'
export const WRITE = 'create delete deletecollection patch update'
export const READ_WRITE = `${READ} ${WRITE}`

const words = (text: string) => text.split(' ').sort()

/** rule('get list', 'core apps', 'pods deployments', 'one-name'): sorted, as upstream's rule builder does. */
export function rule(verbs: string, groups: string, resources: string, names?: string): PolicyRule {
  return {
    verbs: words(verbs),
    apiGroups: words(groups)
      .map(name => (name === 'core' ? '' : name))
      .sort(),
    resources: words(resources),
    ...(names && { resourceNames: words(names) }),
  }
}

export function paths(verbs: string, urls: string): PolicyRule {
  return { verbs: words(verbs), nonResourceURLs: words(urls) }
}

export const events = rule('create update patch', 'core events.k8s.io', 'events')

const metadata = (name: string, labels: Record<string, string> = {}) => ({
  name,
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { [AUTOUPDATE]: 'true' },
})

export type Draft<T> = Omit<T, 'metadata'> & {
  metadata: ReturnType<typeof metadata> & { namespace?: string }
}

/** `aggregatedTo`: roles that collect this one's rules. */
export function clusterRole(name: string, rules: PolicyRule[], aggregatedTo?: string): Draft<ClusterRole> {
  const labels = aggregatedTo ? { [`${RBAC_GROUP}/aggregate-to-${aggregatedTo}`]: 'true' } : {}
  return { apiVersion: API_VERSION, kind: 'ClusterRole', metadata: metadata(name, labels), rules }
}

/** A role whose rules are those of the roles labelled for it. */
export function aggregatedRole(name: string, aggregatedTo?: string): Draft<ClusterRole> {
  const matchLabels = { [`${RBAC_GROUP}/aggregate-to-${name}`]: 'true' }
  return {
    ...clusterRole(name, [], aggregatedTo),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels }] },
  }
}

export const user = (name: string): Subject => ({ kind: 'User', apiGroup: RBAC_GROUP, name })
export const group = (name: string): Subject => ({ kind: 'Group', apiGroup: RBAC_GROUP, name })
export const account = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' })

export function clusterBinding(role: string, ...subjects: Subject[]): Draft<ClusterRoleBinding> {
  return {
    apiVersion: API_VERSION,
    kind: 'ClusterRoleBinding',
    metadata: metadata(role),
    subjects,
    roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: role },
  }
}

export function role(namespace: string, name: string, rules: PolicyRule[]): Draft<Role> {
  return { apiVersion: API_VERSION, kind: 'Role', metadata: { ...metadata(name), namespace }, rules }
}

export function binding(
  namespace: string,
  name: string,
  roleName: string,
  ...subjects: Subject[]
): Draft<RoleBinding> {
  return {
    apiVersion: API_VERSION,
    kind: 'RoleBinding',
    metadata: { ...metadata(name), namespace },
    subjects,
    roleRef: { apiGroup: RBAC_GROUP, kind: 'Role', name: roleName },
  }
}
