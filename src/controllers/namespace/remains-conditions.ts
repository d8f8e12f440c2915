// What a namespace that is being deleted says about what is left in it. Pure.
// Upstream: pkg/controller/namespace/deletion/status_condition_utils.go.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import type { NamespaceCondition } from '../../api/types/core-v1.ts'

export interface Remaining {
  resource: Pick<ResourceInfo, 'group' | 'resource'>
  list: { items: readonly Pick<KubeObject, 'metadata'>[] }
}

interface Said {
  type: string
  reason: string
  message: string
  isTrue: boolean
}

export function remainsConditions(
  { remains, errors }: { remains: readonly Remaining[]; errors: readonly string[] },
  old: readonly NamespaceCondition[],
  now: string,
): NamespaceCondition[] {
  return [
    discovery,
    groupVersions,
    contentFailure(errors),
    contentRemaining(remains),
    finalizersRemaining(remains),
  ].map(({ type, reason, message, isTrue }) => {
    const status = isTrue ? 'True' : 'False'
    const before = old.find(condition => condition.type === type)
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : now
    return { type, status, lastTransitionTime, reason, message } as NamespaceCondition
  })
}

const discovery: Said = {
  type: 'NamespaceDeletionDiscoveryFailure',
  reason: 'ResourcesDiscovered',
  message: 'All resources successfully discovered',
  isTrue: false,
}
const groupVersions: Said = {
  type: 'NamespaceDeletionGroupVersionParsingFailure',
  reason: 'ParsedGroupVersions',
  message: 'All legacy kube types successfully parsed',
  isTrue: false,
}

function contentFailure(errors: readonly string[]): Said {
  const type = 'NamespaceDeletionContentFailure'
  if (errors.length === 0) {
    const message = 'All content successfully deleted, may be waiting on finalization'
    return { type, reason: 'ContentDeleted', message, isTrue: false }
  }
  const message = `Failed to delete all resource types, ${errors.length} remaining: ${[...errors].sort().join(', ')}`
  return { type, reason: 'ContentDeletionFailed', message, isTrue: true }
}

function contentRemaining(remains: readonly Remaining[]): Said {
  const type = 'NamespaceContentRemaining'
  if (remains.length === 0) {
    return { type, reason: 'ContentRemoved', message: 'All content successfully removed', isTrue: false }
  }
  const parts = remains.map(
    ({ resource: { group, resource }, list: { items } }) =>
      `${resource}.${group} has ${items.length} resource instances`,
  )
  const message = `Some resources are remaining: ${parts.sort().join(', ')}`
  return { type, reason: 'SomeResourcesRemain', message, isTrue: true }
}

function finalizersRemaining(remains: readonly Remaining[]): Said {
  const type = 'NamespaceFinalizersRemaining'
  const counts = new Map<string, number>()
  for (const { metadata } of remains.flatMap(({ list }) => list.items)) {
    for (const finalizer of metadata.finalizers ?? []) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1)
  }
  if (counts.size === 0) {
    return {
      type,
      reason: 'ContentHasNoFinalizers',
      message: 'All content-preserving finalizers finished',
      isTrue: false,
    }
  }
  const parts = [...counts].map(([name, count]) => `${name} in ${count} resource instances`)
  const message = `Some content in the namespace has finalizers remaining: ${parts.sort().join(', ')}`
  return { type, reason: 'SomeFinalizersRemain', message, isTrue: true }
}
