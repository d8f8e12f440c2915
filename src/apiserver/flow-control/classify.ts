// Which flow schema a request belongs to. Pure.
// Upstream: apiserver pkg/util/flowcontrol/rule.go and apf_controller.go.
import type { UserInfo } from '../../api/request.ts'
import type {
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '../../api/types/flowcontrol-v1.ts'
import type { RequestInfo, ResourceRequestInfo } from '../http/request-info.ts'

const ALL = '*'

/** Those that are asked first come first; those without a priority level are not asked. */
export function inOrder(schemas: readonly FlowSchema[], hasLevel: (name: string) => boolean): FlowSchema[] {
  return schemas
    .filter(({ spec }) => hasLevel(spec.priorityLevelConfiguration.name))
    .sort(
      (a, b) =>
        a.spec.matchingPrecedence - b.spec.matchingPrecedence || (a.metadata.name < b.metadata.name ? -1 : 1),
    )
}

export function classify(
  info: RequestInfo,
  user: UserInfo,
  ordered: readonly FlowSchema[],
): FlowSchema | undefined {
  return ordered.find(({ spec }) => (spec.rules ?? []).some(rule => matches(rule, info, user)))
}

function matches(
  { subjects, resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects,
  info: RequestInfo,
  user: UserInfo,
): boolean {
  if (!subjects.some(subject => isSubject(subject, user))) return false
  return info.isResource
    ? resourceRules.some(rule => matchesResource(rule, info))
    : nonResourceRules.some(rule => matchesPath(rule, info))
}

function isSubject({ kind, user: named, group, serviceAccount }: Subject, user: UserInfo): boolean {
  if (kind === 'User') return named?.name === ALL || named?.name === user.name
  if (kind === 'Group') return group?.name === ALL || user.groups.includes(group?.name ?? '')
  if (kind !== 'ServiceAccount' || !serviceAccount) return false
  const prefix = `system:serviceaccount:${serviceAccount.namespace}:`
  return serviceAccount.name === ALL
    ? user.name.startsWith(prefix)
    : user.name === prefix + serviceAccount.name
}

const has = (list: readonly string[], value: string) => list.includes(ALL) || list.includes(value)

function matchesResource(
  { verbs, apiGroups, resources, namespaces = [], clusterScope }: ResourcePolicyRule,
  { verb, group, resource, subresource, namespace }: ResourceRequestInfo,
): boolean {
  const inScope = namespace ? has(namespaces, namespace) : clusterScope === true
  const name = subresource ? `${resource}/${subresource}` : resource
  return inScope && has(verbs, verb) && has(apiGroups, group) && has(resources, name)
}

function matchesPath(
  { verbs, nonResourceURLs }: NonResourcePolicyRule,
  { verb, path }: { verb: string; path: string },
): boolean {
  if (!has(verbs, verb)) return false
  return nonResourceURLs.some(
    url => url === ALL || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
  )
}
