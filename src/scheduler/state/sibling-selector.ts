// Which Pods belong together: by the Services that select a Pod and the controller that owns it.
// Upstream: plugins/helper/spread.go DefaultSelector.
import { matcherOf, matchesAll } from '../../api/labels.ts'
import type { ReplicaSet, StatefulSet } from '../../api/types/apps-v1.ts'
import type { Pod, ReplicationController, Service } from '../../api/types/core-v1.ts'
import type { LabelSelector } from '../../api/types/meta-v1.ts'
import type { Siblings } from './cluster-view.ts'

export interface Owners {
  /** Those of the namespace. */
  services(namespace: string): readonly Service[]
  replicationController(name: string, namespace: string): ReplicationController | undefined
  replicaSet(name: string, namespace: string): ReplicaSet | undefined
  statefulSet(name: string, namespace: string): StatefulSet | undefined
}

/** Undefined when neither a Service nor a known controller says anything. */
export function siblingSelector({ metadata }: Pod, owners: Owners): Siblings | undefined {
  const namespace = metadata.namespace ?? ''
  const wanted: Record<string, string> = {}
  for (const { spec } of owners.services(namespace)) {
    const { selector } = spec
    const isMeant = selector && Object.keys(selector).length > 0 && matchesAll(selector, metadata.labels)
    if (isMeant) Object.assign(wanted, selector)
  }
  const owner = (metadata.ownerReferences ?? []).find(({ controller }) => controller)
  let more: LabelSelector | null | undefined
  if (owner?.kind === 'ReplicationController' && owner.apiVersion === 'v1')
    Object.assign(wanted, owners.replicationController(owner.name, namespace)?.spec?.selector)
  else if (owner?.kind === 'ReplicaSet') more = owners.replicaSet(owner.name, namespace)?.spec.selector
  else if (owner?.kind === 'StatefulSet') more = owners.statefulSet(owner.name, namespace)?.spec.selector
  const says = Object.keys(wanted).length > 0 || !!more
  if (!says) return undefined
  const matchesMore = more ? matcherOf(more) : () => true
  return {
    key: JSON.stringify([wanted, more]),
    matches: labels => matchesAll(wanted, labels) && matchesMore(labels),
  }
}
