// Holds pods to the standards that the labels of their namespace name: refuses (enforce), warns (warn).
// Upstream: plugin/pkg/admission/security/podsecurity and pod-security-admission/admission.
import type { KubeObject } from '../../../api/kube-object.ts'
import { invalid } from '../../../api/status-error.ts'
import type { Container, Pod, PodTemplateSpec } from '../../../api/types/core-v1.ts'
import { goQuote } from '../../../api/validation/field-error.ts'
import { type AdmissionAttributes, type AdmissionPlugin, refuse } from '../admission.ts'
import type { ObjectLookup } from '../object-lookup.ts'
import type { PodLike } from './check.ts'
import { describeViolations, reasonsOf, violationsOf } from './evaluate.ts'
import { compareLevels, describeLevel, isSame, type LevelVersion, policyOf } from './policy.ts'

const OTHER_SUBRESOURCES = new Set([
  'exec',
  'attach',
  'binding',
  'eviction',
  'log',
  'portforward',
  'proxy',
  'status',
])
/** Pods looked at when a namespace becomes stricter. Upstream: defaultNamespaceMaxPodsToCheck. */
const MOST_PODS = 3000

export function podSecurity(lookup: ObjectLookup): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    async validate(attributes) {
      const { operation, object, resource, subresource } = attributes
      if (!object || (operation !== 'CREATE' && operation !== 'UPDATE')) return
      const name = resource.group ? `${resource.group}/${resource.resource}` : resource.resource
      if (name === 'namespaces') {
        if (!subresource) await checkNamespace(attributes, object, lookup)
      } else if (name === 'pods') checkPod(attributes, object, lookup)
      else if (!subresource) warnOfTemplate(attributes, templates[name]?.(object), lookup)
    },
  }
}

function policyFor({ namespace = '' }: AdmissionAttributes, lookup: ObjectLookup) {
  return policyOf(lookup.namespace(namespace)?.metadata.labels).policy
}

function checkPod(attributes: AdmissionAttributes, object: KubeObject, lookup: ObjectLookup): void {
  const { operation, oldObject, subresource = '' } = attributes
  if (OTHER_SUBRESOURCES.has(subresource)) return
  const { enforce, warn } = policyFor(attributes, lookup)
  const pod = object as unknown as Pod
  if (operation === 'UPDATE' && oldObject && !isSignificant(pod, oldObject as unknown as Pod)) return
  const violations = violationsOf(pod, enforce)
  if (violations.length > 0) {
    throw refuse(
      attributes,
      `violates PodSecurity ${goQuote(describeLevel(enforce))}: ${describeViolations(violations)}`,
    )
  }
  if (!isSame(warn, enforce)) warnOf(attributes, pod, warn)
}

function warnOfTemplate(
  attributes: AdmissionAttributes,
  template: PodTemplateSpec | undefined,
  lookup: ObjectLookup,
): void {
  if (template?.spec) warnOf(attributes, template as PodLike, policyFor(attributes, lookup).warn)
}

function warnOf(attributes: AdmissionAttributes, pod: PodLike, level: LevelVersion): void {
  const violations = violationsOf(pod, level)
  if (violations.length === 0) return
  attributes.warn(
    `would violate PodSecurity ${goQuote(describeLevel(level))}: ${describeViolations(violations)}`,
  )
}

type TemplateOf = (object: KubeObject) => PodTemplateSpec | undefined
const template: TemplateOf = object => (object.spec as { template?: PodTemplateSpec }).template

const templates: Record<string, TemplateOf> = {
  podtemplates: object => (object as unknown as { template?: PodTemplateSpec }).template,
  replicationcontrollers: template,
  'apps/replicasets': template,
  'apps/deployments': template,
  'apps/statefulsets': template,
  'apps/daemonsets': template,
  'batch/jobs': template,
  'batch/cronjobs': object => template((object.spec as { jobTemplate: KubeObject }).jobTemplate),
}

/** Only what the standards look at and an update can change. */
function isSignificant(pod: Pod, old: Pod): boolean {
  const listOf = ({ spec }: Pod): Container[] => [...spec.containers, ...(spec.initContainers ?? [])]
  const [containers, before] = [listOf(pod), listOf(old)]
  if (containers.length !== before.length) return true
  if (containers.some(({ image }, index) => image !== before[index]!.image)) return true
  const known = new Map(old.spec.ephemeralContainers?.map(container => [container.name, container.image]))
  return (pod.spec.ephemeralContainers ?? []).some(({ name, image }) => known.get(name) !== image)
}

async function checkNamespace(
  attributes: AdmissionAttributes,
  object: KubeObject,
  lookup: ObjectLookup,
): Promise<void> {
  const { operation, oldObject, resource, warn } = attributes
  const { policy, errors } = policyOf(object.metadata.labels)
  const before = policyOf(oldObject?.metadata.labels)
  const isNews = JSON.stringify(errors) !== JSON.stringify(before.errors)
  if (errors.length > 0 && (operation === 'CREATE' || isNews))
    throw invalid(resource, object.metadata.name, errors)
  if (operation === 'CREATE') return
  const [now, old] = [policy.enforce, before.policy.enforce]
  if (isSame(now, old) || now.level === 'privileged') return
  if (now.minor === old.minor && compareLevels(now.level, old.level) < 1) return
  for (const text of await warningsOf(object.metadata.name, now, lookup)) warn(text)
}

/** What runs already stays; its owner is told. */
async function warningsOf(namespace: string, level: LevelVersion, lookup: ObjectLookup): Promise<string[]> {
  const all = await lookup.listIn('pods', namespace)
  const byReason = new Map<string, string[]>()
  for (const object of all.slice(0, MOST_PODS)) {
    const reason = reasonsOf(violationsOf(object as unknown as Pod, level))
    if (reason) byReason.set(reason, [...(byReason.get(reason) ?? []), object.metadata.name])
  }
  const texts = [...byReason].map(([reason, names]) => `${podsText(names.sort())}: ${reason}`).sort()
  return [
    ...(all.length > MOST_PODS
      ? [
          `new PodSecurity enforce level only checked against the first ${MOST_PODS} of ${all.length} existing pods`,
        ]
      : []),
    ...(texts.length > 0
      ? [
          `existing pods in namespace ${goQuote(namespace)} violate the new PodSecurity enforce level ${goQuote(describeLevel(level))}`,
        ]
      : []),
    ...texts,
  ]
}

function podsText([first = '', ...others]: readonly string[]): string {
  if (others.length === 0) return first
  return others.length === 1 ? `${first} (and 1 other pod)` : `${first} (and ${others.length} other pods)`
}
