// What may change in a Pod that is there. Upstream: ValidatePodUpdate.
import type {
  Container,
  NodeAffinity,
  NodeSelectorTerm,
  Pod,
  PodSpec,
  Toleration,
} from '../../types/core-v1.ts'
import { type FieldError, forbiddenField, invalidValue, required, same } from '../field-error.ts'
import { goJson, internalForm } from '../internal-json.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import { unifiedDiff } from '../unified-diff.ts'
import { validatePodAnnotationsUpdate } from './annotations.ts'
import { validateOnlyForPod } from './containers.ts'
import { validatePod } from './pod.ts'
import { validateTolerations } from './scheduling.ts'

const FORBIDDEN =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'
const MOST_SECONDS = 2_147_483_647

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = [
    ...validateObjectMetaUpdate(pod.metadata, old.metadata),
    ...validatePod(pod),
    ...validatePodAnnotationsUpdate(pod, old),
  ]
  for (const list of ['containers', 'initContainers'] as const) {
    const [now, before] = [pod.spec[list] ?? [], old.spec[list] ?? []]
    if (now.length !== before.length)
      return [...errors, forbiddenField(`spec.${list}`, 'pod updates may not add or remove containers')]
    errors.push(...images(now, `spec.${list}`))
  }
  const deadline = deadlineOnlyFalls(pod.spec, old.spec)
  errors.push(...deadline.errors)
  if (deadline.stop) return errors
  errors.push(
    ...tolerationsOnlyGrow(pod.spec.tolerations ?? [], old.spec.tolerations ?? [], 'spec.tolerations'),
    ...gatesOnlyGo(pod.spec, old.spec),
  )
  return same(pod.spec, old.spec) ? errors : [...errors, ...onlyMutableChanged(pod.spec, old.spec)]
}

/** Upstream: ValidateContainerUpdates. */
function images(containers: readonly Container[], path: string): FieldError[] {
  return containers.flatMap((container, index) => {
    const at = `${path}[${index}]`
    return [...(container.image ? [] : [required(`${at}.image`)]), ...validateOnlyForPod(container, at)]
  })
}

function deadlineOnlyFalls(spec: PodSpec, old: PodSpec): { errors: FieldError[]; stop: boolean } {
  const [after, before] = [spec.activeDeadlineSeconds, old.activeDeadlineSeconds]
  const field = 'spec.activeDeadlineSeconds'
  if (after === undefined) {
    const detail = 'must not update from a positive integer to nil value'
    return { errors: before === undefined ? [] : [invalidValue(field, after, detail)], stop: false }
  }
  const refuse = (detail: string) => ({ errors: [invalidValue(field, after, detail)], stop: true })
  if (after < 0 || after > MOST_SECONDS) return refuse(`must be between 0 and ${MOST_SECONDS}, inclusive`)
  if (before !== undefined && before < after) return refuse('must be less than or equal to previous value')
  return { errors: [], stop: false }
}

/** Only the seconds of one that was there may change. Upstream: validateOnlyAddedTolerations. */
function tolerationsOnlyGrow(
  after: readonly Toleration[],
  before: readonly Toleration[],
  path: string,
): FieldError[] {
  const identity = ({ tolerationSeconds: _, ...rest }: Toleration) => rest
  const kept = before.every(old => after.some(one => same(identity(one), identity(old))))
  return kept
    ? validateTolerations(after, path)
    : [forbiddenField(path, 'existing toleration can not be modified except its tolerationSeconds')]
}

function gatesOnlyGo(spec: PodSpec, old: PodSpec): FieldError[] {
  const before = new Set((old.schedulingGates ?? []).map(({ name }) => name))
  return (spec.schedulingGates ?? []).flatMap(({ name }, index) => {
    const detail = `only deletion is allowed, but found new scheduling gate '${name}'`
    return before.has(name) ? [] : [forbiddenField(`spec.schedulingGates[${index}].name`, detail)]
  })
}

function onlyMutableChanged(spec: PodSpec, old: PodSpec): FieldError[] {
  const errors: FieldError[] = []
  let rest = withMutableFieldsOf(spec, old)
  if ((old.schedulingGates ?? []).length > 0) {
    errors.push(...selectorOnlyGrows(spec, old), ...affinityOnlyNarrows(spec, old))
    rest = withPlacementOf(rest, old)
  }
  if (same(rest, old)) return errors
  const text = (of: PodSpec) => goJson(internalForm('core/v1.PodSpec', { ...of }), 1)
  return [...errors, forbiddenField('spec', `${FORBIDDEN}\n${unifiedDiff(text(old), text(rest))}`)]
}

/** The new spec with every field that may change taken from the old one: whatever still differs is forbidden. */
function withMutableFieldsOf(spec: PodSpec, old: PodSpec): PodSpec {
  const graceWasNegative =
    (old.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1
  return withoutAbsent({
    ...spec,
    containers: withImagesOf(spec.containers, old.containers)!,
    initContainers: withImagesOf(spec.initContainers, old.initContainers),
    activeDeadlineSeconds: old.activeDeadlineSeconds,
    schedulingGates: old.schedulingGates,
    tolerations: old.tolerations,
    ...(graceWasNegative && { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds }),
  })
}

/** A spec whose absent fields may be written out as undefined. */
type LooseSpec = { [K in keyof PodSpec]: PodSpec[K] | undefined }

const withoutAbsent = (spec: LooseSpec): PodSpec =>
  Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as unknown as PodSpec

const withImagesOf = (containers: Container[] | undefined, old: Container[] | undefined) =>
  containers?.map((container, index) => withImage(container, old![index]!.image))

function withImage({ image: _, ...container }: Container, image: string | undefined): Container {
  return image === undefined ? container : { ...container, image }
}

/** While a Pod is gated, where it may go can still be narrowed. KEP-3838. */
function withPlacementOf(spec: PodSpec, old: PodSpec): PodSpec {
  const { nodeAffinity: _, ...others } = spec.affinity ?? {}
  const before = old.affinity?.nodeAffinity
  const affinity = { ...(before && { nodeAffinity: before }), ...others }
  const absent = old.affinity === undefined && Object.keys(affinity).length === 0
  return withoutAbsent({
    ...spec,
    nodeSelector: old.nodeSelector,
    affinity: absent ? undefined : affinity,
  })
}

function selectorOnlyGrows(spec: PodSpec, old: PodSpec): FieldError[] {
  const now = spec.nodeSelector ?? {}
  const kept = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => now[key] === value)
  const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
  return kept ? [] : [invalidValue('spec.nodeSelector', spec.nodeSelector ?? null, detail)]
}

function affinityOnlyNarrows(spec: PodSpec, old: PodSpec): FieldError[] {
  const terms = (affinity: NodeAffinity | undefined) =>
    affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const before = terms(old.affinity?.nodeAffinity) ?? []
  const now = terms(spec.affinity?.nodeAffinity)
  if (before.length === 0) return []
  const field = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  const shown = (term: NodeSelectorTerm) => internalForm('core/v1.NodeSelectorTerm', { ...term })
  if (before.length !== now?.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'
    return [invalidValue(field, now?.map(shown) ?? null, detail)]
  }
  return before.flatMap((term, index) => {
    const after = now[index]!
    const detail = 'only additions are allowed (no mutations or deletions)'
    return addsOnly(after, term) ? [] : [invalidValue(`${field}[${index}]`, shown(after), detail)]
  })
}

/** Upstream: validateNodeSelectorTermHasOnlyAdditions. */
function addsOnly(now: NodeSelectorTerm, before: NodeSelectorTerm): boolean {
  const lists = ['matchExpressions', 'matchFields'] as const
  if (lists.every(list => (before[list] ?? []).length === 0))
    return lists.every(list => (now[list] ?? []).length === 0)
  return lists.every(list => {
    const old = before[list] ?? []
    return same((now[list] ?? []).slice(0, old.length), old)
  })
}
