// Makes and stops a pod's sandboxes.
import { runtimeClasses } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { PodSandboxConfig } from '../../runtime/cri/cri.generated.ts'
import { dnsProblems } from '../containers/pod-dns.ts'
import { sandboxConfig } from '../containers/sandbox-config.ts'
import { runtimeErrorText } from '../runtime-view/runtime-error-text.ts'
import { isGone } from '../runtime-view/runtime-view.ts'
import type { ObservedPod } from './observed-pod.ts'
import type { WorkerParts } from './worker-parts.ts'

/** The pod's cgroup is made where it is missing. */
export function configOf(
  pod: Pod,
  attempt: number,
  { facts, cgroups, userNamespaces }: WorkerParts,
): PodSandboxConfig {
  const ids = userNamespaces.of(pod)
  return sandboxConfig(pod, attempt, facts, cgroups.ensure(pod), ids)
}

/** Answers whether it stands now; what went wrong is told as an event. Throws only when the signal aborts. */
export async function createSandbox(
  pod: Pod,
  attempt: number,
  replacesOne: boolean,
  parts: WorkerParts,
  signal: AbortSignal,
): Promise<boolean> {
  const { events, runtime, facts } = parts
  if (replacesOne) {
    events.tell(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
  }
  for (const text of dnsProblems(pod, { ...facts, resolvConf: facts.resolvConf() }))
    events.tell(pod, 'Warning', 'DNSConfigForming', text)
  try {
    const runtimeHandler = await handlerOf(pod, parts)
    lookForImage(pod, parts)
    await runtime.runPodSandbox({ config: configOf(pod, attempt, parts), runtimeHandler }, signal)
    return true
  } catch (error) {
    if (signal.aborted) throw error
    const text = runtimeErrorText(error)
    events.tell(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${text}`)
    return false
  }
}

/** Whether the first container's image is there is known by the time the sandbox stands. */
function lookForImage(pod: Pod, { images }: WorkerParts): void {
  const first = pod.spec.initContainers?.[0] ?? pod.spec.containers[0]
  // What is wrong with it is told when it is the container's turn.
  if (first) images.present(pod, first).catch(() => {})
}

/** The handler that the pod's RuntimeClass names, '' for the runtime's own. Upstream: LookupRuntimeHandler. */
async function handlerOf({ spec }: Pod, { client }: WorkerParts): Promise<string> {
  const { runtimeClassName: name } = spec
  return name ? (await client.get(runtimeClasses, { name })).handler : ''
}

/** Answers how many were stopped. */
export async function stopSandboxes({ sandboxes }: ObservedPod, { runtime }: WorkerParts): Promise<number> {
  const ready = sandboxes.filter(sandbox => sandbox.ready)
  for (const { id } of ready) {
    await runtime.stopPodSandbox({ podSandboxId: id }).catch(error => {
      if (!isGone(error)) throw error
    })
  }
  return ready.length
}
