// Pods: creation, updates, and the updates of their subresources. Upstream: ValidatePodCreate, ValidatePodUpdate,
// ValidatePodStatusUpdate, ValidatePodEphemeralContainersUpdate.
import { isDeepStrictEqual } from 'node:util'
import type { Pod, PodSpec, Toleration } from '../../types/core-v1.ts'
import { type FieldError, forbiddenField, invalidValue } from '../field-error.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../object-meta.ts'
import { validateEphemeralContainers } from './containers.ts'
import { contextOf, validatePodSpec } from './pod-spec.ts'
import { specDiff } from './spec-diff.ts'

export function validatePod(pod: Pod): FieldError[] {
  return [...validateObjectMeta(pod.metadata, { namespaced: true }), ...validatePodSpec(pod.spec, 'spec')]
}

export function validatePodCreate(pod: Pod): FieldError[] {
  const errors = validatePod(pod)
  if ((pod.spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbiddenField('spec.ephemeralContainers', 'cannot be set on create'))
  }
  return errors
}

const FORBIDDEN =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = [
    ...validateObjectMetaUpdate(pod.metadata, old.metadata),
    ...validatePodSpec(pod.spec, 'spec'),
    ...sameContainers(pod.spec, old.spec),
  ]
  // What follows compares container by container.
  if (errors.some(({ message }) => message.includes('may not add or remove'))) return errors
  errors.push(...deadlineOnlyFalls(pod.spec, old.spec), ...gatesOnlyGo(pod.spec, old.spec))
  errors.push(
    ...tolerationsOnlyGrow(pod.spec.tolerations ?? [], old.spec.tolerations ?? [], 'spec.tolerations'),
  )
  const rest = withMutableFieldsOf(pod.spec, old.spec)
  if (!isDeepStrictEqual(plain(rest), plain(old.spec))) {
    errors.push(forbiddenField('spec', `${FORBIDDEN}\n${specDiff(plain(old.spec), plain(rest))}`))
  }
  return errors
}

function sameContainers(spec: PodSpec, old: PodSpec): FieldError[] {
  return (['containers', 'initContainers'] as const)
    .filter(list => (spec[list] ?? []).length !== (old[list] ?? []).length)
    .map(list => forbiddenField(`spec.${list}`, `pod updates may not add or remove containers`))
}

function deadlineOnlyFalls(spec: PodSpec, old: PodSpec): FieldError[] {
  const [after, before] = [spec.activeDeadlineSeconds, old.activeDeadlineSeconds]
  if (before === undefined) return []
  const field = 'spec.activeDeadlineSeconds'
  if (after === undefined)
    return [invalidValue(field, null, 'must not update from a positive integer to nil value')]
  if (after <= before) return []
  return [invalidValue(field, after, `must be less than or equal to previous value`)]
}

function gatesOnlyGo(spec: PodSpec, old: PodSpec): FieldError[] {
  const before = new Set((old.schedulingGates ?? []).map(({ name }) => name))
  const added = (spec.schedulingGates ?? []).map(({ name }) => name).filter(name => !before.has(name))
  return added.length === 0
    ? []
    : [
        forbiddenField(
          'spec.schedulingGates',
          `only deletion is allowed, but found new scheduling gate '${added[0]}'`,
        ),
      ]
}

/** Upstream: validateOnlyAddedTolerations. Only the seconds of one that was there may change. */
function tolerationsOnlyGrow(
  after: readonly Toleration[],
  before: readonly Toleration[],
  path: string,
): FieldError[] {
  const identity = ({ tolerationSeconds: _, ...rest }: Toleration) => rest
  const kept = before.every(old => after.some(one => isDeepStrictEqual(identity(one), identity(old))))
  return kept
    ? []
    : [forbiddenField(path, 'existing toleration can not be modified except its tolerationSeconds')]
}

/** The new spec with every field that may change taken from the old one: whatever still differs is forbidden. */
function withMutableFieldsOf(spec: PodSpec, old: PodSpec): PodSpec {
  const wasNegative = (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1
  const gated = (old.schedulingGates ?? []).length > 0
  return {
    ...spec,
    containers: spec.containers.map((container, index) => ({
      ...container,
      image: old.containers[index]!.image,
    })),
    ...(spec.initContainers && {
      initContainers: spec.initContainers.map((container, index) => ({
        ...container,
        image: old.initContainers![index]!.image,
      })),
    }),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    tolerations: old.tolerations,
    schedulingGates: old.schedulingGates,
    ...(wasNegative && { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds }),
    ...(gated && narrows(spec, old) && { nodeSelector: old.nodeSelector, affinity: old.affinity }),
  } as PodSpec
}

/** While gated, a node selector may get further keys. Upstream: the mutable scheduling directives of KEP-3838. */
function narrows(spec: PodSpec, old: PodSpec): boolean {
  const selector = Object.entries(old.nodeSelector ?? {}).every(
    ([key, value]) => spec.nodeSelector?.[key] === value,
  )
  return (
    selector && (old.affinity === undefined || isDeepStrictEqual(plain(spec.affinity), plain(old.affinity)))
  )
}

/** Without undefined fields, so that absent and undefined are the same. */
const plain = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T))

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = validateObjectMetaUpdate(pod.metadata, old.metadata)
  if (pod.spec.nodeName !== old.spec.nodeName) {
    errors.push(forbiddenField('status.nodeName', 'may not be changed directly'))
  }
  if (old.status.qosClass && pod.status.qosClass !== old.status.qosClass) {
    errors.push(invalidValue('status.qosClass', pod.status.qosClass ?? '', 'field is immutable'))
  }
  return [...errors, ...terminatedStays(pod, old)]
}

/** A container that ended for good does not run again. Upstream: ValidateContainerStateTransition. */
function terminatedStays(pod: Pod, old: Pod): FieldError[] {
  const policy = old.spec.restartPolicy
  if (policy === 'Always') return []
  const ownPolicy = new Set(
    old.spec.containers.filter(({ restartPolicy }) => restartPolicy).map(({ name }) => name),
  )
  return (old.status.containerStatuses ?? []).flatMap((before, index) => {
    const ended = before.state?.terminated
    if (!ended || ownPolicy.has(before.name) || (policy === 'OnFailure' && ended.exitCode !== 0)) return []
    const after = pod.status.containerStatuses?.find(({ name }) => name === before.name)
    if (!after || after.state?.terminated) return []
    return [
      forbiddenField(
        `status.containerStatuses[${index}].state`,
        'may not be transitioned to non-terminated state',
      ),
    ]
  })
}

export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = validateEphemeralContainers(contextOf(pod.spec), 'spec.ephemeralContainers')
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    errors.push(forbiddenField('', 'static pods do not support ephemeral containers'))
  }
  for (const before of old.spec.ephemeralContainers ?? []) {
    const after = (pod.spec.ephemeralContainers ?? []).find(({ name }) => name === before.name)
    if (!after) {
      errors.push(
        forbiddenField(
          'spec.ephemeralContainers',
          `existing ephemeral containers ${JSON.stringify(before.name)} may not be removed\n`,
        ),
      )
    } else if (!isDeepStrictEqual(plain(after), plain(before))) {
      errors.push(
        forbiddenField(
          'spec.ephemeralContainers',
          `existing ephemeral containers ${JSON.stringify(before.name)} may not be changed\n`,
        ),
      )
    }
  }
  return errors
}
