import type { KubeObject } from '../../../../api/kube-object.ts'
import type { FieldErrorLike } from '../../../../api/status-error.ts'
import { validateUpdate } from '../../../../api/validation/validation.ts'
import type { UpdateStrategy } from '../../strategy.ts'
import { keepMetadataOwnedBySpec } from '../keep-metadata.ts'
import { asPod, bumpPodGeneration } from './pod-strategy.ts'

/** pods/ephemeralcontainers: everything but spec.ephemeralContainers stays. Upstream: podEphemeralContainersStrategy. */
export class EphemeralContainersStrategy implements UpdateStrategy {
  readonly allowUnconditionalUpdate = true
  readonly allowCreateOnUpdate = false

  prepareForUpdate(object: KubeObject, old: KubeObject): void {
    const pod = asPod(object)
    const before = asPod(old)
    const { ephemeralContainers } = pod.spec
    const { ephemeralContainers: _, ...spec } = before.spec
    pod.spec = { ...spec, ...(ephemeralContainers && { ephemeralContainers }) }
    pod.status = before.status
    keepMetadataOwnedBySpec(object, old)
    bumpPodGeneration(pod, before)
  }

  validateUpdate(object: KubeObject, old: KubeObject): readonly FieldErrorLike[] {
    return validateUpdate(object, old, 'ephemeralcontainers')
  }
}
