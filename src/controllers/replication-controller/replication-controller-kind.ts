import { matcherOf } from '../../api/labels.ts'
import { replicationControllers } from '../../api/resources.ts'
import type { PodTemplateSpec, ReplicationController } from '../../api/types/core-v1.ts'
import type { ReplicatedKind } from '../replica-set/replicated.ts'

/** ReplicationControllers as the ReplicaSet controller sees them. Their status has no terminatingReplicas. */
export const replicationControllerKind: ReplicatedKind<ReplicationController> = {
  resource: replicationControllers,
  component: 'replication-controller',
  view: ({ apiVersion, kind, metadata, spec, status }) => ({
    apiVersion,
    kind,
    metadata,
    replicas: spec.replicas ?? 1,
    minReadySeconds: spec.minReadySeconds ?? 0,
    selects: matcherOf({ matchLabels: spec.selector ?? {} }),
    template: spec.template as PodTemplateSpec,
    status: { ...status, replicas: status.replicas },
  }),
  withStatus: (object, { terminatingReplicas: _, ...status }) => ({
    ...object,
    status: status as ReplicationController['status'],
  }),
}
