// Whether the pod needs a new sandbox. Upstream: kuberuntime/util PodSandboxChanged.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ObservedPod } from './observed-pod.ts'

export interface SandboxDecision {
  needed: boolean
  /** Of the sandbox to create, or of the one that stands. */
  attempt: number
  /** The newest sandbox there is. */
  id?: string
}

export function decideSandbox(pod: Pod, { sandboxes }: Pick<ObservedPod, 'sandboxes'>): SandboxDecision {
  const newest = sandboxes[0]
  if (!newest) return { needed: true, attempt: 0 }
  const changed =
    sandboxes.filter(sandbox => sandbox.ready).length > 1 ||
    !newest.ready ||
    newest.network !== (pod.spec.hostNetwork ? 'NODE' : 'POD')
  if (changed) return { needed: true, attempt: newest.attempt + 1, id: newest.id }
  if (!pod.spec.hostNetwork && newest.ips.length === 0)
    return { needed: true, attempt: newest.attempt + 1, id: newest.id }
  return { needed: false, attempt: newest.attempt, id: newest.id }
}
