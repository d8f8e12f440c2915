// The authorizer until RBAC: the cluster's administrators and components may do everything, others may look
// at what describes the API and ask about themselves.
import type { UserInfo } from '../../api/request.ts'
import type { ResourceRule } from '../../api/types/authorization-v1.ts'
import { type Attributes, type Authorizer, type Decision, isNonResource } from './authorizer.ts'
import type { SubjectRules } from './rules.ts'

const ALL_POWERFUL_GROUPS = new Set(['system:masters', 'system:nodes'])
const ALL_POWERFUL_USERS = new Set([
  'system:kube-scheduler',
  'system:kube-controller-manager',
  'system:kube-proxy',
])

// Upstream's cluster roles system:discovery, system:public-info-viewer and system:basic-user.
const PUBLIC = ['/healthz', '/livez', '/readyz', '/version']
const DISCOVERY = ['/api', '/apis', '/openapi']
const SELF_REVIEWS = new Set([
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authentication.k8s.io/selfsubjectreviews',
])

const SELF_REVIEW_RULES: ResourceRule[] = [...SELF_REVIEWS].map(path => {
  const [group = '', resource = ''] = path.split('/')
  return { verbs: ['create'], apiGroups: [group], resources: [resource] }
})

export const simpleAuthorizer: Authorizer = { authorize: decide, rulesFor }

function decide(attributes: Attributes): Decision {
  if (isAllPowerful(attributes.user)) return { decision: 'allow' }
  const { groups } = attributes.user
  const authenticated = groups.includes('system:authenticated')
  const isOpen = isNonResource(attributes)
    ? isReadablePath(attributes.verb, attributes.path, authenticated)
    : authenticated && attributes.verb === 'create' && isSelfReview(attributes.group, attributes.resource)
  return { decision: isOpen ? 'allow' : 'noOpinion' }
}

function isAllPowerful({ name, groups }: UserInfo): boolean {
  return ALL_POWERFUL_USERS.has(name) || groups.some(group => ALL_POWERFUL_GROUPS.has(group))
}

function rulesFor(user: UserInfo): SubjectRules {
  if (isAllPowerful(user)) {
    return {
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    }
  }
  const authenticated = user.groups.includes('system:authenticated')
  const paths = authenticated ? [...PUBLIC, ...DISCOVERY] : PUBLIC
  return {
    resourceRules: authenticated ? SELF_REVIEW_RULES : [],
    nonResourceRules: [
      { verbs: ['get', 'head'], nonResourceURLs: paths.flatMap(path => [path, `${path}/*`]) },
    ],
    incomplete: false,
  }
}

function isReadablePath(verb: string, path: string, authenticated: boolean): boolean {
  if (verb !== 'get' && verb !== 'head') return false
  const open = authenticated ? [...PUBLIC, ...DISCOVERY] : PUBLIC
  return open.some(root => path === root || path.startsWith(`${root}/`))
}

function isSelfReview(group: string, resource: string): boolean {
  return SELF_REVIEWS.has(`${group}/${resource}`)
}
