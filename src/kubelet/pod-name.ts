// How the kubelet's texts name a pod and its containers.
import type { Container, EphemeralContainer, ObjectReference, Pod } from '../api/types/core-v1.ts'

/** 'name_namespace(uid)', upstream's format.Pod. */
export function describePod({ metadata }: Pick<Pod, 'metadata'>): string {
  return `${metadata.name}_${metadata.namespace}(${metadata.uid})`
}

/** Every container of the spec with its fieldPath root, init containers first. */
export function allContainers(pod: Pod): (Container | EphemeralContainer)[] {
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec
  return [...initContainers, ...containers, ...ephemeralContainers]
}

export function findContainer(pod: Pod, name: string): Container | EphemeralContainer | undefined {
  return allContainers(pod).find(container => container.name === name)
}

/** What an event is about: the pod, or one container by fieldPath. */
export function referenceTo(pod: Pod, containerName?: string): ObjectReference {
  const { name, namespace, uid, resourceVersion } = pod.metadata
  const fieldPath = containerName === undefined ? undefined : fieldPathOf(pod, containerName)
  return {
    kind: 'Pod',
    ...(namespace && { namespace }),
    name,
    uid,
    apiVersion: 'v1',
    ...(resourceVersion && { resourceVersion }),
    ...(fieldPath && { fieldPath }),
  }
}

function fieldPathOf({ spec }: Pod, name: string): string | undefined {
  const has = (list: readonly { name: string }[] = []) => list.some(container => container.name === name)
  if (has(spec.containers)) return `spec.containers{${name}}`
  if (has(spec.initContainers)) return `spec.initContainers{${name}}`
  return has(spec.ephemeralContainers) ? `spec.ephemeralContainers{${name}}` : undefined
}
