// While containers are resized in place they hold what they had, or already have what they asked for: the larger counts.
// Upstream: component-helpers resource/helpers.go, PodRequests with UseStatusResources.
import { Quantity } from '../../api/quantity.ts'
import type { Container, ContainerStatus, Pod, PodSpec } from '../../api/types/core-v1.ts'

type Amounts = Readonly<Record<string, string>>

/** The Pod as far as its requests go; the same when nothing differs from its spec. */
export function withHeldResources(pod: Pod): Pick<Pod, 'spec'> {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status
  const statuses = new Map([...initContainerStatuses, ...containerStatuses].map(one => [one.name, one]))
  if (statuses.size === 0) return pod
  // Refused or put off: what was asked for does not count yet.
  const isPending = (pod.status.conditions ?? []).some(
    ({ type, status }) => type === 'PodResizePending' && status === 'True',
  )
  const held = (container: Container) => withHeld(container, statuses.get(container.name), isPending)
  const containers = pod.spec.containers.map(held)
  const initContainers = pod.spec.initContainers?.map(held)
  const isSame =
    containers.every((container, index) => container === pod.spec.containers[index]) &&
    (initContainers ?? []).every((container, index) => container === pod.spec.initContainers?.[index])
  if (isSame) return pod
  const spec: PodSpec = { ...pod.spec, containers, ...(initContainers && { initContainers }) }
  return { spec }
}

function withHeld(container: Container, status: ContainerStatus | undefined, isPending: boolean): Container {
  const actual = status?.resources?.requests
  const allocated = status?.allocatedResources
  if (!actual && !allocated) return container
  const wanted = container.resources?.requests
  const held = largest(isPending ? [actual, allocated] : [wanted, actual, allocated])
  if (sameAmounts(held, wanted)) return container
  return { ...container, resources: { ...container.resources, requests: held } }
}

function largest(lists: readonly (Amounts | undefined)[]): Record<string, string> {
  const most: Record<string, string> = {}
  for (const list of lists)
    for (const [name, amount] of Object.entries(list ?? {}))
      if (most[name] === undefined || isMore(amount, most[name])) most[name] = amount
  return most
}

const isMore = (one: string, other: string) =>
  one !== other && Quantity.parse(one).compare(Quantity.parse(other)) > 0

function sameAmounts(one: Amounts, other: Amounts = {}): boolean {
  const names = Object.keys(one)
  return names.length === Object.keys(other).length && names.every(name => one[name] === other[name])
}
