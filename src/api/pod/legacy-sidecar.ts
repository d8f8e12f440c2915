// `lifecycle.type: Sidecar` on an ordinary container: a Kubernetes draft of 1.18 that never shipped, but lives on in
// articles. Such a container starts after the init containers and before the others, which wait until it is ready; it
// ends after them and does not keep a finished Pod alive. The form that Kubernetes has is in sidecar.ts.
import { acceptExtraField } from '../schema/type-facts.ts'
import type { Container, PodSpec } from '../types/core-v1.ts'

declare module '../types/core-v1.ts' {
  interface Lifecycle {
    type?: string
  }
}

export const LIFECYCLE_TYPES = ['Sidecar', 'Standard']

const warning = (path: string) =>
  `${path}: this field was never part of Kubernetes; write a sidecar as a container of spec.initContainers with restartPolicy: Always`

let accepted = false

/** Makes the API accept the field, with a warning. To be called before anything is decoded; again is fine. */
export function acceptLegacySidecars(): void {
  if (accepted) return
  accepted = true
  acceptExtraField('core/v1.Lifecycle', 'type', { is: 'scalar', scalar: 'string' }, warning)
}

/** App containers that are sidecars. None where all would be: then there is nothing for them to serve. */
export function legacySidecars({ containers }: Pick<PodSpec, 'containers'>): readonly Container[] {
  const marked = containers.filter(({ lifecycle }) => lifecycle?.type === 'Sidecar')
  return marked.length < containers.length ? marked : []
}

export const isLegacySidecar = (container: Container, spec: Pick<PodSpec, 'containers'>): boolean =>
  container.lifecycle?.type === 'Sidecar' && legacySidecars(spec).some(({ name }) => name === container.name)
