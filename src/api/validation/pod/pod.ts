// Pods as a whole: creation and the update of ephemeral containers. Upstream: ValidatePodCreate,
// validatePodMetadataAndSpec, ValidatePodEphemeralContainersUpdate, ValidatePodBinding.
import type { Binding, EphemeralContainer, Pod } from '../../types/core-v1.ts'
import { type FieldError, forbiddenField, notSupported, required, same, WHOLE } from '../field-error.ts'
import { goJson, internalForm } from '../internal-json.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../object-meta.ts'
import { unifiedDiff } from '../unified-diff.ts'
import {
  MIRROR,
  validatePodAnnotations,
  validatePodAnnotationsUpdate,
  validateProfilesAgree,
} from './annotations.ts'
import { validateOnlyForPod } from './containers.ts'
import { validatePodSpec } from './pod-spec.ts'

export const isMirrorPod = (pod: Pod): boolean => pod.metadata.annotations?.[MIRROR] !== undefined

/** What holds for a Pod at any time. Upstream: validatePodMetadataAndSpec. */
export function validatePod(pod: Pod): FieldError[] {
  const { metadata, spec } = pod
  const frame = { isPod: true, podName: metadata.name, isMirrorPod: isMirrorPod(pod) }
  return [
    ...validateObjectMeta(metadata, { namespaced: true }),
    ...validatePodAnnotations(metadata.annotations, spec, 'metadata.annotations'),
    ...validatePodSpec(spec, 'spec', frame),
    ...tokensWithoutAccount(pod),
    ...(['containers', 'initContainers'] as const).flatMap(list =>
      (spec[list] ?? []).flatMap((container, index) =>
        validateOnlyForPod(container, `spec.${list}[${index}]`),
      ),
    ),
  ]
}

function tokensWithoutAccount({ spec }: Pod): FieldError[] {
  if (spec.serviceAccountName) return []
  return (spec.volumes ?? []).flatMap(({ projected }, volume) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken }, source) =>
      serviceAccountToken
        ? [
            forbiddenField(
              `spec.volumes[${volume}].projected.sources[${source}].serviceAccountToken`,
              'must not be specified when serviceAccountName is not set',
            ),
          ]
        : [],
    ),
  )
}

export function validatePodCreate(pod: Pod): FieldError[] {
  const { spec, metadata } = pod
  const errors = validatePod(pod)
  if ((spec.ephemeralContainers ?? []).length > 0)
    errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'))
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    const detail = 'cannot be set until all schedulingGates have been cleared'
    errors.push(forbiddenField('spec.nodeName', detail))
  }
  return [...errors, ...validateProfilesAgree(metadata, spec, 'spec')]
}

export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  if (isMirrorPod(old)) return [forbiddenField(WHOLE, 'static pods do not support ephemeral containers')]
  const now = new Map((pod.spec.ephemeralContainers ?? []).map(container => [container.name, container]))
  return [
    ...validateObjectMetaUpdate(pod.metadata, old.metadata),
    ...validatePod(pod),
    ...validatePodAnnotationsUpdate(pod, old),
    ...(old.spec.ephemeralContainers ?? []).flatMap(before => unchanged(before, now.get(before.name))),
  ]
}

function unchanged(before: EphemeralContainer, after: EphemeralContainer | undefined): FieldError[] {
  const name = JSON.stringify(before.name)
  const field = 'spec.ephemeralContainers'
  if (!after) return [forbiddenField(field, `existing ephemeral containers ${name} may not be removed\n`)]
  if (same(after, before)) return []
  const text = (container: EphemeralContainer) =>
    goJson(internalForm('core/v1.EphemeralContainer', { ...container }), 1)
  const detail = `existing ephemeral containers ${name} may not be changed\n${unifiedDiff(text(before), text(after))}`
  return [forbiddenField(field, detail)]
}

export function validateBinding({ target }: Binding): FieldError[] {
  const errors: FieldError[] = []
  if (target?.kind && target.kind !== 'Node')
    errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']))
  if (!target?.name) errors.push(required('target.name'))
  return errors
}
