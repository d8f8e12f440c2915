// Whether a container that exited runs again. Upstream: podutil.ContainerShouldRestart, ShouldContainerBeRestarted.
import { isLegacySidecar } from '../../api/pod/legacy-sidecar.ts'
import { matchingRule } from '../../api/pod/restart.ts'
import type { Container, Pod, PodSpec } from '../../api/types/core-v1.ts'
import { newestOf, type ObservedPod } from './observed-pod.ts'

/** The container's rules decide first, then its own policy, then the pod's. A regular init container never repeats a success. */
export function restartsAfter(container: Container, spec: PodSpec, exitCode: number): boolean {
  const rule = matchingRule(container, exitCode)
  if (rule) return asksForRestart(rule)
  switch (policyOf(container, spec)) {
    case 'Never':
      return false
    case 'OnFailure':
      return exitCode !== 0
    default:
      return true
  }
}

/** The container's own policy, else the pod's; a sidecar of the old form serves the others as long as they run. */
function policyOf(container: Container, spec: PodSpec): string {
  if (container.restartPolicy) return container.restartPolicy
  return isLegacySidecar(container, spec) ? 'Always' : (spec.restartPolicy ?? 'Always')
}

/** Whether some end of the container is followed by a start; a probe's kill is then. Upstream: podutil.IsContainerRestartable. */
export function isRestartable(container: Container, spec: PodSpec): boolean {
  return !!container.restartPolicyRules?.some(asksForRestart) || policyOf(container, spec) !== 'Never'
}

const asksForRestart = ({ action }: { action?: string }) =>
  action === 'Restart' || action === 'RestartAllContainers'

/** Whether the pod as a whole may run something again: false for policy Never where no container has another. */
export function mayRestart(spec: PodSpec): boolean {
  if (spec.restartPolicy !== 'Never') return true
  return [...(spec.initContainers ?? []), ...spec.containers].some(
    container => container.restartPolicy !== undefined && isRestartable(container, spec),
  )
}

/** Whether the container is to be started, as far as its own history tells. */
export function shouldStart(
  container: Container,
  pod: Pod,
  observed: Pick<ObservedPod, 'containers'>,
): boolean {
  if (pod.metadata.deletionTimestamp) return false
  const newest = newestOf(observed, container.name)
  if (!newest) return true
  if (newest.state === 'running') return false
  if (newest.state !== 'exited') return true
  return restartsAfter(container, pod.spec, newest.exitCode)
}

/** Whether some container's rules can restart all of them. */
export function hasRestartAllRule(spec: PodSpec): boolean {
  return [...(spec.initContainers ?? []), ...spec.containers].some(container =>
    container.restartPolicyRules?.some(rule => rule.action === 'RestartAllContainers'),
  )
}

/** The container whose newest exit asks for all to be restarted. */
export function restartAllSource(pod: Pod, observed: ObservedPod): string | undefined {
  const source = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(container => {
    const newest = newestOf(observed, container.name)
    if (newest?.state !== 'exited') return false
    return matchingRule(container, newest.exitCode)?.action === 'RestartAllContainers'
  })
  return source?.name
}
