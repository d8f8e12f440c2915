// Whether a container that exited runs again: its rules decide first, then its own policy, then the Pod's.
// Upstream: podutil.ContainerShouldRestart, AllContainersCouldRestart, IsContainerRestartable.
import type { Container, ContainerRestartRule, PodSpec } from '../types/core-v1.ts'

type WithPolicy = Pick<Container, 'restartPolicy' | 'restartPolicyRules'>

/** The first rule that matches the exit code; undefined when none does. */
export function matchingRule(container: WithPolicy, exitCode: number): ContainerRestartRule | undefined {
  return container.restartPolicyRules?.find(({ exitCodes }) => {
    const listed = exitCodes?.values?.includes(exitCode) ?? false
    return exitCodes?.operator === 'NotIn' ? !listed : exitCodes?.operator === 'In' && listed
  })
}

export function restartsAfter(
  container: WithPolicy,
  spec: Pick<PodSpec, 'restartPolicy'>,
  exitCode: number,
): boolean {
  if (matchingRule(container, exitCode)) return true
  switch (container.restartPolicy || spec.restartPolicy || 'Always') {
    case 'Never':
      return false
    case 'OnFailure':
      return exitCode !== 0
    default:
      return true
  }
}

/** Whether some container's rules can restart all of them. */
export function hasRestartAllRule(spec: Pick<PodSpec, 'containers' | 'initContainers'>): boolean {
  return [...(spec.initContainers ?? []), ...spec.containers].some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  )
}

/** Whether the Pod as a whole may run something again. */
export function mayRestart(spec: Pick<PodSpec, 'restartPolicy' | 'containers' | 'initContainers'>): boolean {
  if (spec.restartPolicy !== 'Never') return true
  return [...(spec.initContainers ?? []), ...spec.containers].some(
    ({ restartPolicy, restartPolicyRules = [] }) =>
      (restartPolicy !== undefined && restartPolicy !== 'Never') || restartPolicyRules.length > 0,
  )
}
