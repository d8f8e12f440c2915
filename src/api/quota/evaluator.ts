// What objects of a resource cost, for quotas: the admission that refuses and the controller that counts share this.
// Upstream: apiserver pkg/quota/v1/interfaces.go and pkg/quota/v1/evaluator.
import type { KubeObject } from '../kube-object.ts'
import { qualifiedName } from '../status-error.ts'
import type {
  PersistentVolumeClaim,
  Pod,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
  Service,
} from '../types/core-v1.ts'
import type { ResourceClaim } from '../types/resource-v1.ts'
import { one, type ResourceAmounts } from './amounts.ts'
import { claimUsage, isClaimResource } from './claim-usage.ts'
import { deviceUsage, isDeviceResource } from './device-usage.ts'
import { isPodResource, missingRequirements, podUsage } from './pod-usage.ts'
import { claimMatchesScope, podMatchesScope, scopesOf } from './scopes.ts'
import { isServiceResource, serviceUsage } from './service-usage.ts'

export interface QuotaEvaluator {
  /** Does the evaluator count under this name ('pods', 'requests.cpu')? */
  counts(name: string): boolean
  /** `now`: epoch milliseconds. */
  usage(object: KubeObject, now: number): ResourceAmounts
  matchesScope(scope: ScopedResourceSelectorRequirement, object: KubeObject): boolean
  /** Why the object may not be counted under these names; undefined when it may. */
  problem?(names: readonly string[], object: KubeObject): string | undefined
  /** An update can change what the object costs. */
  readonly updates: boolean
}

/** Names that count objects of the core group without 'count/'. */
const PLAIN_NAMES = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets'])

const pods: QuotaEvaluator = {
  counts: isPodResource,
  usage: (object, now) => podUsage(object as unknown as Pod, now),
  matchesScope: (scope, object) => podMatchesScope(scope, object as unknown as Pod),
  problem: (names, object) => missingRequirements(names, object as unknown as Pod),
  updates: true,
}

const services: QuotaEvaluator = {
  counts: isServiceResource,
  usage: object => serviceUsage(object as unknown as Service),
  matchesScope: () => false,
  updates: true,
}

const claims: QuotaEvaluator = {
  counts: isClaimResource,
  usage: object => claimUsage(object as unknown as PersistentVolumeClaim),
  matchesScope: (scope, object) => claimMatchesScope(scope, object as unknown as PersistentVolumeClaim),
  updates: true,
}

const devices: QuotaEvaluator = {
  counts: isDeviceResource,
  usage: object => deviceUsage(object as unknown as ResourceClaim),
  matchesScope: () => false,
  updates: false,
}

/** Every namespaced resource that can be created can be counted. */
export function quotaEvaluator(resource: { group: string; resource: string }): QuotaEvaluator {
  if (resource.group === '') {
    const special = { pods, services, persistentvolumeclaims: claims }[resource.resource]
    if (special) return special
  }
  if (resource.group === 'resource.k8s.io' && resource.resource === 'resourceclaims') return devices
  return objectCount(resource)
}

function objectCount(resource: { group: string; resource: string }): QuotaEvaluator {
  const names = [`count/${qualifiedName(resource)}`]
  if (resource.group === '' && PLAIN_NAMES.has(resource.resource)) names.push(resource.resource)
  return {
    counts: name => names.includes(name),
    usage: () => new Map(names.map(name => [name, one])),
    matchesScope: () => false,
    updates: false,
  }
}

/** Does the quota look at this object at all? Upstream: generic.Matches. */
export function quotaMatches(
  { spec, status }: Pick<ResourceQuota, 'spec' | 'status'>,
  evaluator: QuotaEvaluator,
  object: KubeObject,
): boolean {
  const names = Object.keys(status.hard ?? spec.hard ?? {})
  return (
    names.some(name => evaluator.counts(name)) &&
    scopesOf(spec).every(scope => evaluator.matchesScope(scope, object))
  )
}
