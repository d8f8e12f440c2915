import { isSidecar } from '../../api/pod/sidecar.ts'
import type { ContainerStatus, Pod, PodStatus } from '../../api/types/core-v1.ts'

/**
 * What a person who watches the pod sees of a status: phase, and per container its state and reason. Statuses that
 * differ in this are not merged into one write, so that `kubectl get -w` shows each step.
 */
export function visibleStep({ spec }: Pod, status: PodStatus): string {
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  const inits = (status.initContainerStatuses ?? []).map(one =>
    sidecars.has(one.name) ? stateOf(one) : initStateOf(one),
  )
  const others = [...(status.containerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])]
  return [status.phase, status.reason, ...inits, ...others.map(stateOf)].join('|')
}

/** `Init:2/5` is shown while the third waits for its turn and while it runs: no step is between them. */
function initStateOf(status: ContainerStatus): string {
  const { waiting, running } = status.state
  const isOpen = running || waiting?.reason === undefined || waiting.reason === 'PodInitializing'
  return isOpen && !status.state.terminated ? `open ${status.restartCount}` : stateOf(status)
}

/**
 * Nothing but a count that goes up (`Init:2/5`): all that has ended has succeeded, and neither apps nor sidecars have
 * begun. Of such steps in a row a person misses none if only the last is shown.
 */
export function isInitProgress({ spec }: Pod, status: PodStatus): boolean {
  const inits = status.initContainerStatuses ?? []
  const isOver = ({ state }: ContainerStatus) => state.terminated?.exitCode === 0
  const hasBegun = ({ state }: ContainerStatus) => state.waiting?.reason !== 'PodInitializing'
  const others = [...(status.containerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])]
  return (
    !spec.initContainers?.some(isSidecar) &&
    !status.reason &&
    inits.some(one => !isOver(one)) &&
    inits.every(one => isOver(one) || (initStateOf(one).startsWith('open') && !one.restartCount)) &&
    !others.some(hasBegun)
  )
}

function stateOf({ state, restartCount, ready, started }: ContainerStatus): string {
  if (state.running) return `running ${restartCount} ${ready} ${started}`
  if (state.terminated) return `terminated ${restartCount} ${state.terminated.reason}`
  return `waiting ${restartCount} ${state.waiting?.reason}`
}
