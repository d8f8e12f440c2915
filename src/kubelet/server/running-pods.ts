// The pods that the runtime runs, by what it knows of them. Upstream: the kubelet's getRunningPods.
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'

/** A v1.PodList of names, uids and running containers. */
export async function runningPods(runtime: RuntimeService): Promise<object> {
  const [{ items: sandboxes }, { containers }] = await Promise.all([
    runtime.listPodSandbox({ filter: { state: { state: 'SANDBOX_READY' } } }),
    runtime.listContainers({ filter: { state: { state: 'CONTAINER_RUNNING' } } }),
  ])
  const items = sandboxes.map(({ id, metadata }) => ({
    metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid },
    spec: {
      containers: containers
        .filter(({ podSandboxId }) => podSandboxId === id)
        .map(({ labels, imageRef }) => ({
          name: labels[LABEL.containerName],
          image: imageRef,
          resources: {},
        })),
    },
    status: {},
  }))
  return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items }
}
