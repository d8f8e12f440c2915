// Which requests a policy and its bindings are for, and what parameters it is held against.
// Upstream: apiserver admission/plugin/policy/{matching,generic}.
import type { KubeObject } from '../../../api/kube-object.ts'
import { matcherOf } from '../../../api/labels.ts'
import type {
  MatchResources,
  NamedRuleWithOperations,
  ParamKind,
  ParamRef,
} from '../../../api/types/admissionregistration-v1.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { AdmissionAttributes } from '../admission.ts'
import type { ObjectLookup } from '../object-lookup.ts'
import { ruleMatches, wants } from '../webhook/matching.ts'

export interface PolicyParts {
  lookup: ObjectLookup
  authorizer: Authorizer
  /** The resource that serves a kind. */
  resourceOf(
    apiVersion: string,
    kind: string,
  ): { group: string; resource: string; namespaced: boolean } | undefined
}

/** `emptyIsAll`: a binding without rules adds no condition, a policy without rules matches nothing. */
export function resourcesMatch(
  match: MatchResources | undefined,
  attributes: AdmissionAttributes,
  namespace: KubeObject | undefined,
  emptyIsAll: boolean,
): boolean {
  if (!match) return emptyIsAll
  const { resourceRules = [], excludeResourceRules = [], namespaceSelector, objectSelector } = match
  if (excludeResourceRules.some(rule => namedRuleMatches(rule, attributes))) return false
  const everything = {
    operations: ['*'],
    apiGroups: ['*'],
    apiVersions: ['*'],
    resources: ['*', '*/*'],
  } as never
  const isOpen = emptyIsAll && resourceRules.length === 0
  if (!isOpen && !resourceRules.some(rule => namedRuleMatches(rule, attributes))) return false
  return wants({ rules: [everything], namespaceSelector, objectSelector }, attributes, namespace)
}

function namedRuleMatches(
  { resourceNames = [], ...rule }: NamedRuleWithOperations,
  attributes: AdmissionAttributes,
): boolean {
  const name = attributes.name || attributes.object?.metadata?.name || ''
  return ruleMatches(rule, attributes) && (resourceNames.length === 0 || resourceNames.includes(name))
}

/** One evaluation for each parameter object; a policy without parameters is evaluated once. */
export async function paramsOf(
  kind: ParamKind | undefined,
  ref: ParamRef | undefined,
  { namespace = '' }: AdmissionAttributes,
  { lookup, resourceOf }: PolicyParts,
): Promise<(KubeObject | undefined)[] | 'missing'> {
  if (!kind) return [undefined]
  const served = resourceOf(kind.apiVersion ?? '', kind.kind ?? '')
  if (!ref || !served) return ref ? 'missing' : [undefined]
  const path = served.group ? `${served.group}/${served.resource}` : served.resource
  const home = served.namespaced ? ref.namespace || namespace : ''
  if (ref.name) {
    const found = served.namespaced ? lookup.findIn(path, home, ref.name) : lookup.find(path, ref.name)
    return found ? [found] : 'missing'
  }
  const all = served.namespaced ? await lookup.listIn(path, home) : await lookup.listAll(path)
  const selects = matcherOf(ref.selector ?? {})
  const found = all.filter(({ metadata }) => selects(metadata.labels))
  return found.length > 0 ? found : 'missing'
}
