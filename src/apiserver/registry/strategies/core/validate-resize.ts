// What pods/resize may ask for. Upstream: core/validation ValidatePodResize.
import { qosClass } from '../../../../api/pod/qos.ts'
import type { FieldErrorLike } from '../../../../api/status-error.ts'
import type { Container, Pod, ResourceRequirements } from '../../../../api/types/core-v1.ts'
import { forbiddenField, invalidValue } from '../../../../api/validation/field-error.ts'
import { validatePodSpec } from '../../../../api/validation/pod/pod-spec.ts'
import { validateUpdate } from '../../../../api/validation/validation.ts'
import { deepEqual } from '../../deep-equal.ts'

const RESIZABLE = new Set(['cpu', 'memory'])

export function validateResize(pod: Pod, old: Pod): readonly FieldErrorLike[] {
  const meta = validateUpdate(pod as never, old as never, 'resize')
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    return [...meta, forbiddenField('', 'static pods cannot be resized')]
  }
  const errors = [...meta, ...validatePodSpec(pod.spec, 'spec')]
  errors.push(...containerErrors(pod.spec.containers, old.spec.containers, 'spec.containers'))
  errors.push(
    ...containerErrors(pod.spec.initContainers ?? [], old.spec.initContainers ?? [], 'spec.initContainers'),
  )
  if (qosClass(pod.spec) !== (old.status.qosClass ?? qosClass(old.spec))) {
    errors.push(
      invalidValue('spec', qosClass(pod.spec), 'Pod QOS Class may not change as a result of resizing'),
    )
  }
  if (errors.length === 0 && !deepEqual(withoutResources(pod), withoutResources(old))) {
    errors.push(forbiddenField('spec', 'only cpu and memory resources are mutable'))
  }
  return errors
}

function containerErrors(containers: readonly Container[], old: readonly Container[], path: string) {
  if (containers.length !== old.length) {
    return [forbiddenField(path, 'containers may not be added or removed on resize')]
  }
  return containers.flatMap((container, index) => {
    const before = old[index] as Container
    if (container.name !== before.name) {
      return [
        forbiddenField(`${path}[${index}].name`, 'containers may not be renamed or reordered on resize'),
      ]
    }
    return resourceErrors(container.resources, before.resources, `${path}[${index}].resources`)
  })
}

function resourceErrors(resources: ResourceRequirements, old: ResourceRequirements, path: string) {
  return (['limits', 'requests'] as const).flatMap(part => {
    const now = resources?.[part] ?? {}
    const before = old?.[part] ?? {}
    const removed = Object.keys(before).filter(name => RESIZABLE.has(name) && now[name] === undefined)
    const fixed = [...new Set([...Object.keys(now), ...Object.keys(before)])].filter(
      name => !RESIZABLE.has(name) && now[name] !== before[name],
    )
    return [
      ...removed.map(() => forbiddenField(`${path}.${part}`, `resource ${part} cannot be removed`)),
      ...fixed.map(() => forbiddenField(`${path}.${part}`, 'only cpu and memory resources are mutable')),
    ]
  })
}

function withoutResources({ spec }: Pod) {
  const strip = ({ resources: _, resizePolicy: __, ...rest }: Container) => rest
  return {
    ...spec,
    containers: spec.containers.map(strip),
    initContainers: (spec.initContainers ?? []).map(strip),
  }
}
