// Which requests a webhook or a policy wants to see. Pure.
// Upstream: apiserver admission/plugin/webhook/predicates/{rules,namespace,object}.
import type { KubeObject } from '../../../api/kube-object.ts'
import { matcherOf } from '../../../api/labels.ts'
import type { RuleWithOperations } from '../../../api/types/admissionregistration-v1.ts'
import type { LabelSelector } from '../../../api/types/meta-v1.ts'
import type { AdmissionAttributes } from '../admission.ts'

const CONFIGURATIONS = 'admissionregistration.k8s.io'

export interface Wish {
  rules: readonly RuleWithOperations[]
  namespaceSelector?: LabelSelector | undefined
  objectSelector?: LabelSelector | undefined
}

/** `namespace`: that of the request, undefined when there is none. */
export function wants(
  wish: Wish,
  attributes: AdmissionAttributes,
  namespace: KubeObject | undefined,
): boolean {
  // Nobody can lock the door that leads to the locks.
  if (attributes.resource.group === CONFIGURATIONS) return false
  return (
    wish.rules.some(rule => ruleMatches(rule, attributes)) &&
    namespaceMatches(wish.namespaceSelector, attributes, namespace) &&
    objectMatches(wish.objectSelector, attributes)
  )
}

const ALL = '*'

export function ruleMatches(
  { operations = [], apiGroups = [], apiVersions = [], resources = [], scope = ALL }: RuleWithOperations,
  { operation, resource, subresource = '', namespace }: AdmissionAttributes,
): boolean {
  const has = (list: readonly string[], value: string) => list.includes(ALL) || list.includes(value)
  const isNamespaced = resource.namespaced && namespace !== undefined
  const scopeFits = scope === ALL || (scope === 'Namespaced') === isNamespaced
  return (
    scopeFits &&
    has(operations, operation) &&
    has(apiGroups, resource.group) &&
    has(apiVersions, resource.version) &&
    resources.some(pattern => resourceMatches(pattern, resource.resource, subresource))
  )
}

/** 'pods', 'pods/log', 'pods/*', '*', '*' + '/scale', '*' + '/*'. */
function resourceMatches(pattern: string, resource: string, subresource: string): boolean {
  const [wanted, wantedSub = ''] = pattern.split('/')
  return (wanted === ALL || wanted === resource) && (wantedSub === ALL || wantedSub === subresource)
}

/** Objects without a namespace match, but namespaces themselves are looked at by their own labels. */
function namespaceMatches(
  selector: LabelSelector | undefined,
  { resource, object, oldObject, operation, subresource }: AdmissionAttributes,
  namespace: KubeObject | undefined,
): boolean {
  if (!selector || isEmpty(selector)) return true
  const isNamespace = resource.group === '' && resource.resource === 'namespaces' && !subresource
  const own = operation === 'CREATE' ? object : (namespace ?? oldObject)
  const judged = isNamespace ? own : namespace
  return judged === undefined ? !resource.namespaced : matcherOf(selector)(judged.metadata.labels)
}

/** The object as it is or was. */
function objectMatches(
  selector: LabelSelector | undefined,
  { object, oldObject }: AdmissionAttributes,
): boolean {
  if (!selector || isEmpty(selector)) return true
  const matches = matcherOf(selector)
  return [object, oldObject].some(one => one !== undefined && matches(one.metadata?.labels))
}

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector) =>
  Object.keys(matchLabels).length + matchExpressions.length === 0
