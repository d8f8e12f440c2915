// Makes the claims of Pods' generic ephemeral volumes; they go with their Pods. Upstream: pkg/controller/volume/ephemeral.
import type { Draft } from '../../api/kube-object.ts'
import { persistentVolumeClaims, pods as podResource } from '../../api/resources.ts'
import { isAlreadyExists, isForbidden } from '../../api/status-error.ts'
import type { PersistentVolumeClaim, Pod, Volume } from '../../api/types/core-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { claimNameOf } from '../persistent-volume/claims-of-pods.ts'
import { controllerReference } from '../pod-control/claim.ts'
import { isTerminal } from '../pod-control/pod-state.ts'

/** Resolves when the signal aborts. */
export async function runEphemeralVolumes(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const pods = new Informer<Pod>({ client, resource: podResource, clock, log })
  const claims = new Informer<PersistentVolumeClaim>({ client, resource: persistentVolumeClaims, clock, log })
  const recorder = new EventRecorder({ client, component: 'ephemeral_volume', clock, log })
  pods.addHandler({ add: pod => ephemeralVolumes(pod).length > 0 && queue.add(keyOf(pod)) })
  // Somebody deleted it: as long as the Pod stands it needs another.
  claims.addHandler({
    delete: ({ metadata }) => {
      const owner = metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Pod' && controller)
      if (owner) queue.add(`${metadata.namespace}/${owner.name}`)
    },
  })
  const reconcile = async (key: string) => {
    const pod = pods.lister.findByKey(key)
    if (!pod || isTerminal(pod) || pod.metadata.deletionTimestamp) return
    for (const volume of ephemeralVolumes(pod)) {
      const name = claimNameOf(pod, volume)!
      const present = claims.lister.find(name, pod.metadata.namespace)
      const isForeign =
        present && !present.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid)
      if (isForeign) {
        const { namespace } = pod.metadata
        throw new Error(`PVC ${namespace}/${name} was not created for pod ${key} (pod is not owner)`)
      }
      if (present) continue
      try {
        await client.create(persistentVolumeClaims, claimFor(pod, volume))
      } catch (error) {
        if (isAlreadyExists(error)) continue
        const message = `ephemeral volume controller failed to create PVC ${name}: ${(error as Error).message}`
        recorder.event(pod, 'Warning', 'EphemeralClaimCreationFailed', message)
        if (!isForbidden(error)) throw error
      }
    }
  }
  const informers = [pods, claims]
  await runController({ informers, queue, reconcile, signal, log })
}

const ephemeralVolumes = ({ spec }: Pod): Volume[] =>
  (spec.volumes ?? []).filter(({ ephemeral }) => ephemeral)

function claimFor(pod: Pod, volume: Volume): Draft<PersistentVolumeClaim> {
  const { metadata = {}, spec } = volume.ephemeral!.volumeClaimTemplate!
  return {
    metadata: {
      ...(metadata.labels && { labels: { ...metadata.labels } }),
      ...(metadata.annotations && { annotations: { ...metadata.annotations } }),
      name: claimNameOf(pod, volume)!,
      namespace: pod.metadata.namespace!,
      ownerReferences: [controllerReference({ apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata })],
    },
    spec: structuredClone(spec),
  }
}
