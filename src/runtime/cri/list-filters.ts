// What ListContainers and ListPodSandbox leave out. CRI: ContainerFilter, PodSandboxFilter; every field given must
// match, an id may be an unambiguous or ambiguous beginning of one.
import type { Container, ContainerFilter, PodSandbox, PodSandboxFilter } from './cri.generated.ts'

export function matchesContainer(filter: ContainerFilter | undefined, container: Container): boolean {
  if (!container.id.startsWith(filter?.id ?? '')) return false
  if (filter?.state?.state && filter.state.state !== container.state) return false
  if (filter?.podSandboxId && filter.podSandboxId !== container.podSandboxId) return false
  return hasLabels(container.labels, filter?.labelSelector)
}

export function matchesSandbox(filter: PodSandboxFilter | undefined, sandbox: PodSandbox): boolean {
  if (!sandbox.id.startsWith(filter?.id ?? '')) return false
  if (filter?.state?.state && filter.state.state !== sandbox.state) return false
  return hasLabels(sandbox.labels, filter?.labelSelector)
}

function hasLabels(labels: Record<string, string>, wanted: Record<string, string> | undefined): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => labels[key] === value)
}
