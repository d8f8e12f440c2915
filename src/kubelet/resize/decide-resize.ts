// Which running containers do not have what they were granted, and what to do about each. Pure.
// Upstream: kuberuntime_manager.go computePodResizeAction.
import type { Container, Pod } from '../../api/types/core-v1.ts'
import { containerResources } from '../containers/linux-resources.ts'
import type { ObservedContainer, ObservedPod } from '../pod-worker/observed-pod.ts'
import { newestOf } from '../pod-worker/observed-pod.ts'
import { resizableContainers } from './allocation.ts'
import { type AppliedResources, appliedResources } from './applied-resources.ts'

export interface ContainerResize {
  name: string
  id: string
  from: AppliedResources
  to: AppliedResources
}

export interface ResizeDecision {
  /** In the order to be changed: what shrinks comes first. */
  update: ContainerResize[]
  /** These must be started anew (resizePolicy RestartContainer). */
  restart: { name: string; id: string; message: string }[]
}

export function decideResize(pod: Pod, observed: Pick<ObservedPod, 'containers'>): ResizeDecision {
  const decision: ResizeDecision = { update: [], restart: [] }
  for (const container of resizableContainers(pod)) {
    const newest = newestOf(observed, container.name)
    if (newest?.state !== 'running' || !newest.resources) continue
    const resize = resizeOf(pod, container, newest)
    if (!resize) continue
    if (mustRestart(container, resize) || needsOtherRequest(container, newest)) {
      const message = `Container ${container.name} resize requires restart`
      decision.restart.push({ name: container.name, id: newest.id, message })
    } else decision.update.push(resize)
  }
  decision.update.sort((a, b) => growth(a) - growth(b))
  return decision
}

/** What the container must have, in the runtime's terms. */
export function grantedResources(pod: Pod, container: Container): AppliedResources {
  return appliedResources(
    containerResources(pod, container, { memoryCapacityBytes: 1, unifiedCgroups: false }),
  )
}

function resizeOf(pod: Pod, container: Container, newest: ObservedContainer): ContainerResize | undefined {
  const to = grantedResources(pod, container)
  const from = newest.resources!
  // A limit cannot be taken away: validation forbids it, so 0 means that there never was one.
  const differs =
    from.cpuShares !== to.cpuShares ||
    from.cpuQuota !== to.cpuQuota ||
    from.memoryBytes !== to.memoryBytes ||
    needsOtherRequest(container, newest)
  return differs ? { name: container.name, id: newest.id, from, to } : undefined
}

/** A request of memory is no setting of the kernel's: it only counts where its change means a restart. */
export function needsOtherRequest(
  { resizePolicy = [], resources }: Container,
  { memoryRequest }: Pick<ObservedContainer, 'memoryRequest'>,
): boolean {
  if (memoryRequest === undefined || !restartsFor(resizePolicy, 'memory')) return false
  return memoryRequest !== (resources?.requests?.memory ?? '')
}

const restartsFor = (policies: NonNullable<Container['resizePolicy']>, name: string): boolean =>
  policies.some(policy => policy.resourceName === name && policy.restartPolicy === 'RestartContainer')

function mustRestart({ resizePolicy = [] }: Container, { from, to }: ContainerResize): boolean {
  const restarts = (name: string) => restartsFor(resizePolicy, name)
  const cpu = from.cpuShares !== to.cpuShares || from.cpuQuota !== to.cpuQuota
  const memory = from.memoryBytes !== to.memoryBytes
  return (cpu && restarts('cpu')) || (memory && restarts('memory'))
}

const growth = ({ from, to }: ContainerResize): number =>
  Math.sign(to.memoryBytes - from.memoryBytes) + Math.sign(to.cpuQuota - from.cpuQuota)
