// pods/resize: only cpu and memory may change. Upstream: ValidatePodResize.

import { qosClass } from '../../pod/qos.ts'
import { isSidecar } from '../../pod/sidecar.ts'
import type { Container, Pod, PodSpec, ResourceRequirements } from '../../types/core-v1.ts'
import { type FieldError, forbiddenField, invalidValue, same, WHOLE } from '../field-error.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import { isMirrorPod, validatePod } from './pod.ts'

const LISTS = ['containers', 'initContainers'] as const

export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  if (isMirrorPod(old)) return [forbiddenField(WHOLE, 'static pods cannot be resized')]
  if (old.spec.os?.name === 'windows') return [forbiddenField(WHOLE, 'windows pods cannot be resized')]
  const errors = [...validateObjectMetaUpdate(pod.metadata, old.metadata), ...validatePod(pod)]
  if (errors.length === 0 && (old.status.qosClass ?? qosClass(old.spec)) !== qosClass(pod.spec)) {
    const detail = 'Pod QOS Class may not change as a result of resizing'
    errors.push(invalidValue('spec', pod.status.qosClass ?? '', detail))
  }
  if (!nodeCanResize(old))
    errors.push(forbiddenField('spec', 'Pod running on node without support for resize'))
  if (hasPodLevel(old) || hasPodLevel(pod)) errors.push(...podLevelErrors(pod.spec, old.spec))
  const order = orderErrors(pod.spec, old.spec)
  if (order.length > 0) return [...errors, ...order]
  errors.push(...removals(pod.spec, old.spec), ...otherChanges(pod.spec, old.spec))
  if (errors.length > 0 || same(withoutContainers(pod.spec), withoutContainers(old.spec))) return errors
  return [forbiddenField('spec', 'only cpu and memory resources are mutable')]
}

/** Told by whether the node reports the resources of a container that runs. Upstream: isPodResizeRequestSupported. */
function nodeCanResize({ status }: Pod): boolean {
  const running = (status.containerStatuses ?? []).find(({ state }) => state?.running)
  return running === undefined || running.resources !== undefined
}

const hasPodLevel = ({ spec: { resources } }: Pod) =>
  Object.keys(resources?.requests ?? {}).length + Object.keys(resources?.limits ?? {}).length > 0

function podLevelErrors({ resources }: PodSpec, old: PodSpec): FieldError[] {
  const path = 'spec.resources'
  if (old.resources && !resources) return [forbiddenField(path, 'pod-level resources cannot be removed')]
  const errors = (['requests', 'limits'] as const)
    .filter(part => isAnyGone(resources?.[part], old.resources?.[part]))
    .map(part => forbiddenField(`${path}.${part}`, `pod-level resource ${part} cannot be removed`))
  if (!same(withAmountsOf(resources, old.resources), old.resources ?? {}))
    errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable at pod-level'))
  return errors
}

type Amounts = Record<string, string> | undefined

const isAnyGone = (now: Amounts, before: Amounts) =>
  Object.keys(before ?? {}).some(name => now?.[name] === undefined)

/** cpu and memory as in the old resources; the rest as it is now. */
function withAmountsOf(now: ResourceRequirements | undefined, old: ResourceRequirements | undefined) {
  const mixed = (part: 'requests' | 'limits') => {
    const { cpu: _, memory: __, ...others } = now?.[part] ?? {}
    const { cpu, memory } = old?.[part] ?? {}
    const amounts = { ...others, ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) }
    return Object.keys(amounts).length > 0 ? amounts : undefined
  }
  return { limits: mixed('limits'), requests: mixed('requests') }
}

function orderErrors(spec: PodSpec, old: PodSpec): FieldError[] {
  return LISTS.flatMap(list => {
    const [now, before] = [spec[list] ?? [], old[list] ?? []]
    if (now.length !== before.length)
      return [forbiddenField(`spec.${list}`, `${list} may not be added or removed on resize`)]
    return before.flatMap(({ name }, index) =>
      now[index]!.name === name
        ? []
        : [
            forbiddenField(
              `spec.${list}[${index}].name`,
              `${list} may not be renamed or reordered on resize`,
            ),
          ],
    )
  })
}

/** Upstream: validateContainerResize. */
function removals(spec: PodSpec, old: PodSpec): FieldError[] {
  return (['initContainers', 'containers'] as const).flatMap(list =>
    (old[list] ?? []).flatMap((before, index) => {
      if (list === 'initContainers' && !isSidecar(before)) return []
      const now = spec[list]![index]!
      return (['requests', 'limits'] as const)
        .filter(part => isAnyGone(now.resources?.[part], before.resources?.[part]))
        .map(part =>
          forbiddenField(`spec.${list}[${index}].resources.${part}`, `resource ${part} cannot be removed`),
        )
    }),
  )
}

function otherChanges(spec: PodSpec, old: PodSpec): FieldError[] {
  const fixed = (now: Container, before: Container) =>
    same({ ...now, resources: withAmountsOf(now.resources, before.resources) }, normal(before))
  const normal = (container: Container) => ({
    ...container,
    resources: withAmountsOf(container.resources, container.resources),
  })
  const errors: FieldError[] = []
  const refuse = (detail: string) => errors.push(forbiddenField('spec', detail))
  for (const [index, now] of spec.containers.entries()) {
    if (!fixed(now, old.containers[index]!)) refuse('only cpu and memory resources are mutable')
  }
  for (const [index, now] of (spec.initContainers ?? []).entries()) {
    const before = old.initContainers![index]!
    if (isSidecar(now)) {
      if (!fixed(now, before)) refuse('only cpu and memory resources for sidecar containers are mutable')
    } else if (!same(now, before)) refuse('resources for non-sidecar init containers are immutable')
  }
  return errors
}

function withoutContainers(spec: PodSpec): object {
  const { containers: _, initContainers: __, resources: ___, ...rest } = spec
  return rest
}
