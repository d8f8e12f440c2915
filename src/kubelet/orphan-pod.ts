import type { Pod } from '../api/types/core-v1.ts'
import type { ObservedContainer } from './pod-worker/observed-pod.ts'
import type { RuntimePodName } from './runtime-view/runtime-view.ts'

/** A stand-in for a pod of which only the runtime still knows: enough to stop it with the grace it was given. */
export function orphanPod(
  name: RuntimePodName,
  containers: readonly ObservedContainer[],
  nodeName: string,
): Pod {
  const names = [...new Set(containers.map(container => container.name))]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...name, resourceVersion: '', creationTimestamp: '' },
    spec: {
      nodeName,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: containers[0]?.gracePeriodSeconds ?? 30,
      containers: names.map(container => ({ name: container, resources: {} })),
    },
    status: {},
  }
}
