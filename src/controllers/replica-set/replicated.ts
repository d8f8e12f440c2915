// What ReplicaSets and ReplicationControllers have in common; one controller serves both.
// Upstream does the same: pkg/controller/replication converts to and from ReplicaSets.
import type { Resource } from '../../api/kube-object.ts'
import { type LabelMatcher, matcherOf } from '../../api/labels.ts'
import { replicaSets } from '../../api/resources.ts'
import type { ReplicaSet, ReplicaSetStatus } from '../../api/types/apps-v1.ts'
import type { PodTemplateSpec } from '../../api/types/core-v1.ts'
import type { ObjectMeta } from '../../api/types/meta-v1.ts'

export interface Replicated {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  replicas: number
  minReadySeconds: number
  selects: LabelMatcher
  template: PodTemplateSpec
  status: ReplicaSetStatus
}

/** How a kind is seen as Replicated. */
export interface ReplicatedKind<T> {
  resource: Resource<T>
  /** Who speaks in events. */
  component: string
  view(object: T): Replicated
  /** The object with this status, to be sent to its status subresource. */
  withStatus(object: T, status: ReplicaSetStatus): T
}

export const replicaSetKind: ReplicatedKind<ReplicaSet> = {
  resource: replicaSets,
  component: 'replicaset-controller',
  view: ({ apiVersion, kind, metadata, spec, status }) => ({
    apiVersion,
    kind,
    metadata,
    replicas: spec.replicas ?? 1,
    minReadySeconds: spec.minReadySeconds ?? 0,
    selects: matcherOf(spec.selector ?? undefined),
    template: spec.template,
    status,
  }),
  withStatus: (object, status) => ({ ...object, status }),
}
