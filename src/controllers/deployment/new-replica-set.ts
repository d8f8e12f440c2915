// The ReplicaSet that a Deployment makes for its template. Upstream: getNewReplicaSet in pkg/controller/deployment/sync.go.
import type { Draft } from '../../api/kube-object.ts'
import type { Deployment, ReplicaSet } from '../../api/types/apps-v1.ts'
import { templateHash } from '../history/template-hash.ts'
import { controllerReference } from '../pod-control/claim.ts'
import { newReplicaSetAnnotations } from './annotations.ts'
import { TEMPLATE_HASH } from './replica-set-roles.ts'
import { desiredReplicas, isRolling, rollingLimits } from './rolling-limits.ts'

/** `size` Pods to start with. */
export function newReplicaSet(deployment: Deployment, revision: bigint, size: number): Draft<ReplicaSet> {
  const { metadata, spec, status } = deployment
  const template = structuredClone(spec.template)
  const hash = templateHash(template, status.collisionCount)
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash }
  return {
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: metadata.namespace!,
      ownerReferences: [controllerReference(deployment)],
      labels,
      annotations: newReplicaSetAnnotations(deployment, undefined, revision),
    },
    spec: {
      replicas: size,
      ...(spec.minReadySeconds && { minReadySeconds: spec.minReadySeconds }),
      selector: {
        ...spec.selector,
        matchLabels: { ...spec.selector?.matchLabels, [TEMPLATE_HASH]: hash },
      },
      template: { ...template, metadata: { ...template.metadata!, labels } },
    },
  }
}

/** To how many Pods the new ReplicaSet may grow now, beside `total` Pods of all. Upstream: NewRSNewReplicas. */
export function roomForNew(deployment: Deployment, total: number, current: number): number {
  const desired = desiredReplicas(deployment)
  if (!isRolling(deployment)) return desired
  const room = desired + rollingLimits(deployment).maxSurge - total
  return room <= 0 ? current : current + Math.min(room, desired - current)
}
