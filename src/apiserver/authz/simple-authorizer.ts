// The authorizer until RBAC: the cluster's administrators and components may do everything, others may look
// at what describes the API and ask about themselves.
import { type Attributes, type Authorizer, type Decision, isNonResource } from './authorizer.ts'

const ALL_POWERFUL_GROUPS = new Set(['system:masters', 'system:nodes'])
const ALL_POWERFUL_USERS = new Set(['system:kube-scheduler', 'system:kube-controller-manager'])

// Upstream's cluster roles system:discovery, system:public-info-viewer and system:basic-user.
const DISCOVERY_PATHS = /^\/(api|apis|openapi|version|healthz|livez|readyz)(\/.*)?$/
const PUBLIC_PATHS = /^\/(version|healthz|livez|readyz)(\/.*)?$/
const SELF_REVIEWS = new Set([
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authentication.k8s.io/selfsubjectreviews',
])

export const simpleAuthorizer: Authorizer = { authorize: decide }

function decide(attributes: Attributes): Decision {
  const { name, groups } = attributes.user
  if (ALL_POWERFUL_USERS.has(name) || groups.some(group => ALL_POWERFUL_GROUPS.has(group))) {
    return { decision: 'allow' }
  }
  const authenticated = groups.includes('system:authenticated')
  const isOpen = isNonResource(attributes)
    ? isReadablePath(attributes.verb, attributes.path, authenticated)
    : authenticated && attributes.verb === 'create' && isSelfReview(attributes.group, attributes.resource)
  return { decision: isOpen ? 'allow' : 'noOpinion' }
}

function isReadablePath(verb: string, path: string, authenticated: boolean): boolean {
  if (verb !== 'get' && verb !== 'head') return false
  return (authenticated ? DISCOVERY_PATHS : PUBLIC_PATHS).test(path)
}

function isSelfReview(group: string, resource: string): boolean {
  return SELF_REVIEWS.has(`${group}/${resource}`)
}
