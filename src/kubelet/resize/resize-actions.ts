// A resize as steps of the pod's worker. Pure.
import type { Pod } from '../../api/types/core-v1.ts'
import type { Action } from '../pod-worker/actions.ts'
import type { ObservedPod } from '../pod-worker/observed-pod.ts'
import { decideResize } from './decide-resize.ts'

/** `others` are the steps that are taken anyway: what they end is not resized. */
export function resizeActions(pod: Pod, observed: ObservedPod, others: readonly Action[]): Action[] {
  if (others.some(action => action.do === 'killPod')) return []
  const ended = new Set(others.flatMap(action => (action.do === 'killContainer' ? [action.id] : [])))
  const { update, restart } = decideResize(pod, observed)
  const updates = update.filter(({ id }) => !ended.has(id))
  const kindOf = (name: string) =>
    pod.spec.initContainers?.some(one => one.name === name) ? 'sidecar' : 'app'
  return [
    ...(updates.length > 0 ? [{ do: 'resize' as const, updates }] : []),
    ...restart
      .filter(({ id }) => !ended.has(id))
      .flatMap(({ name, id, message }): Action[] => [
        { do: 'killContainer', name, id, message, why: 'resize' },
        { do: 'startContainer', name, kind: kindOf(name) },
      ]),
  ]
}

/** Whether every running container has what it was granted. */
export function isResized(pod: Pod, observed: ObservedPod): boolean {
  const { update, restart } = decideResize(pod, observed)
  return update.length === 0 && restart.length === 0
}
