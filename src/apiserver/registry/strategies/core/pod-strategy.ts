// Upstream: pkg/registry/core/pod/strategy.go.
import type { KubeObject } from '../../../../api/kube-object.ts'
import { isDns1123Label } from '../../../../api/names.ts'
import { qosClass } from '../../../../api/pod/qos.ts'
import type { DeleteOptions } from '../../../../api/request.ts'
import { pods } from '../../../../api/resources.ts'
import type { FieldErrorLike } from '../../../../api/status-error.ts'
import type { Pod, PodAffinityTerm, PodCondition } from '../../../../api/types/core-v1.ts'
import type { LabelSelectorRequirement } from '../../../../api/types/meta-v1.ts'
import { validateUpdate } from '../../../../api/validation/validation.ts'
import { deepEqual } from '../../deep-equal.ts'
import type { UpdateStrategy, WriteContext } from '../../strategy.ts'
import { DefaultStrategy } from '../default-strategy.ts'
import { syncAppArmor } from './app-armor-annotations.ts'

export class PodStrategy extends DefaultStrategy {
  readonly indexedField = 'spec.nodeName'
  override readonly status: UpdateStrategy = new PodStatusStrategy()

  constructor() {
    super(pods)
  }

  override prepareForCreate(object: KubeObject, context: WriteContext): void {
    const pod = asPod(object)
    pod.metadata.generation = 1
    neverNegativeGrace(pod)
    pod.status = { phase: 'Pending', qosClass: qosClass(pod.spec) } as Pod['status']
    if ((pod.spec.schedulingGates?.length ?? 0) > 0) pod.status.conditions = [schedulingGated()]
    mergeLabelKeys(pod)
    syncAppArmor(pod, text => context.warn(text))
  }

  warningsOnCreate({ metadata: { name } }: KubeObject): readonly string[] {
    const problems = isDns1123Label(name)
    if (problems.length === 0) return []
    return [
      `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
    ]
  }

  override prepareForUpdate(object: KubeObject, old: KubeObject): void {
    const pod = asPod(object)
    pod.status = asPod(old).status
    neverNegativeGrace(pod)
    bumpPodGeneration(pod, asPod(old))
  }

  checkGracefulDelete(object: KubeObject, options: DeleteOptions): boolean {
    const { spec, status } = asPod(object)
    const asked = options.gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 0
    const isOver = status.phase === 'Failed' || status.phase === 'Succeeded'
    const grace = !spec.nodeName || isOver ? 0 : asked
    options.gracePeriodSeconds = grace < 0 ? 1 : grace
    return true
  }
}

/** Negative means «as short as possible»: a second. */
function neverNegativeGrace({ spec }: Pod): void {
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1
}

/** Kinds share one shape; this names what is known of a pod's. */
export function asPod(object: KubeObject): Pod {
  return object as unknown as Pod
}

export function bumpPodGeneration(pod: Pod, old: Pod): void {
  if (!deepEqual(pod.spec, old.spec)) pod.metadata.generation = (old.metadata.generation ?? 0) + 1
}

/** Upstream: applySchedulingGatedCondition. The scheduler fills in the rest. */
function schedulingGated(): PodCondition {
  return {
    type: 'PodScheduled',
    status: 'False',
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  } as PodCondition
}

/** matchLabelKeys and mismatchLabelKeys become part of the selectors. Upstream: mutatePodAffinity, mutateTopologySpreadConstraints. */
function mergeLabelKeys({ metadata: { labels = {} }, spec }: Pod): void {
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    for (const { podAffinityTerm } of affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      mergeTermKeys(podAffinityTerm, labels)
    }
    for (const term of affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [])
      mergeTermKeys(term, labels)
  }
  for (const { labelSelector, matchLabelKeys = [] } of spec.topologySpreadConstraints ?? []) {
    if (!labelSelector || matchLabelKeys.length === 0) continue
    labelSelector.matchExpressions = [
      ...(labelSelector.matchExpressions ?? []),
      ...asRequirements(matchLabelKeys, 'In', labels),
    ]
  }
}

function mergeTermKeys(
  { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: PodAffinityTerm,
  labels: Record<string, string>,
): void {
  if (!labelSelector || matchLabelKeys.length + mismatchLabelKeys.length === 0) return
  labelSelector.matchExpressions = [
    ...(labelSelector.matchExpressions ?? []),
    ...asRequirements(matchLabelKeys, 'In', labels),
    ...asRequirements(mismatchLabelKeys, 'NotIn', labels),
  ]
}

function asRequirements(
  keys: readonly string[],
  operator: 'In' | 'NotIn',
  labels: Record<string, string>,
): LabelSelectorRequirement[] {
  return keys.flatMap(key => (labels[key] === undefined ? [] : [{ key, operator, values: [labels[key]] }]))
}

class PodStatusStrategy implements UpdateStrategy {
  readonly allowUnconditionalUpdate = true
  readonly allowCreateOnUpdate = false

  prepareForUpdate(object: KubeObject, old: KubeObject, _context: WriteContext): void {
    const pod = asPod(object)
    const before = asPod(old)
    pod.spec = before.spec
    if (before.metadata.ownerReferences) pod.metadata.ownerReferences = before.metadata.ownerReferences
    else delete pod.metadata.ownerReferences
    if (!pod.status.qosClass && before.status.qosClass) pod.status.qosClass = before.status.qosClass
    keepObservedGenerations(pod, before)
  }

  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldErrorLike[] {
    return validateUpdate(object, old, 'status')
  }
}

/** What an older client leaves out stays as it was. Upstream: preserveOldObservedGeneration. */
function keepObservedGenerations(pod: Pod, old: Pod): void {
  if (!pod.status.observedGeneration && old.status.observedGeneration) {
    pod.status.observedGeneration = old.status.observedGeneration
  }
  const before = new Map<string, number[]>()
  for (const { type, observedGeneration = 0 } of old.status.conditions ?? []) {
    before.set(type, [...(before.get(type) ?? []), observedGeneration])
  }
  for (const condition of pod.status.conditions ?? []) {
    const generation = before.get(condition.type)?.shift()
    if (!condition.observedGeneration && generation) condition.observedGeneration = generation
  }
}
