import type { KubeObject } from '../../../../api/kube-object.ts'
import type { FieldErrorLike } from '../../../../api/status-error.ts'
import type { Container, Pod } from '../../../../api/types/core-v1.ts'
import { validatePodResize } from '../../../../api/validation/pod/pod-resize.ts'
import type { UpdateStrategy } from '../../strategy.ts'
import { keepMetadataOwnedBySpec } from '../keep-metadata.ts'
import { asPod, bumpPodGeneration } from './pod-strategy.ts'

/** pods/resize: only resources and resizePolicy of containers change. Upstream: podResizeStrategy. */
export class ResizeStrategy implements UpdateStrategy {
  readonly allowUnconditionalUpdate = true
  readonly allowCreateOnUpdate = false

  prepareForUpdate(object: KubeObject, old: KubeObject): void {
    const pod = asPod(object)
    const before = asPod(old)
    if (hasSameContainers(pod, before)) {
      const { containers, initContainers } = pod.spec
      const { resources } = pod.spec
      const { resources: _, ...rest } = before.spec
      pod.spec = {
        ...rest,
        ...(resources && { resources }),
        containers: mergeResources(containers, before.spec.containers),
        ...(initContainers && {
          initContainers: mergeResources(initContainers, before.spec.initContainers ?? []),
        }),
      }
      pod.status = before.status
      keepMetadataOwnedBySpec(object, old)
    }
    bumpPodGeneration(pod, before)
  }

  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldErrorLike[] {
    return validatePodResize(asPod(object), asPod(old))
  }
}

/** Otherwise the pod is left as it came, for validation to refuse it. */
function hasSameContainers({ spec }: Pod, { spec: old }: Pod): boolean {
  return (
    spec.containers.length === old.containers.length &&
    (spec.initContainers ?? []).length === (old.initContainers ?? []).length
  )
}

function mergeResources(containers: readonly Container[], old: readonly Container[]): Container[] {
  if (containers.some((container, index) => container.name !== old[index]?.name)) return [...containers]
  return old.map((before, index) => {
    const { resources, resizePolicy } = containers[index] as Container
    const { resizePolicy: _, ...rest } = before
    return { ...rest, resources, ...(resizePolicy && { resizePolicy }) }
  })
}
