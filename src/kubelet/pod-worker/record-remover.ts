// Removes what the runtime keeps of containers and sandboxes that have ended.
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Pod } from '../../api/types/core-v1.ts'
import { containerLogPath, podLogDir } from '../pod-paths.ts'
import { isGone } from '../runtime-view/runtime-view.ts'
import type { ObservedPod } from './observed-pod.ts'
import type { WorkerParts } from './worker-parts.ts'

type Parts = Pick<WorkerParts, 'runtime' | 'view' | 'facts'>

const goneIsFine = (error: unknown) => {
  if (!isGone(error)) throw error
}

/** With `withLog`, the log of that run goes too. */
export async function removeContainer(
  id: string,
  withLog: boolean,
  pod: Pod,
  observed: ObservedPod,
  { runtime, view, facts }: Parts,
): Promise<void> {
  await runtime.removeContainer({ containerId: id }).catch(goneIsFine)
  view.forget(id)
  const known = observed.containers.find(container => container.id === id)
  if (!withLog || !known) return
  const path = join(podLogDir(facts, pod), containerLogPath(known.name, known.restartCount))
  const rotated = (await readdir(dirname(path)).catch(() => [])).filter(file =>
    file.startsWith(`${basename(path)}.`),
  )
  for (const file of [basename(path), ...rotated]) await rm(join(dirname(path), file), { force: true })
}

export async function removeSandbox(id: string, { runtime, view }: Parts): Promise<void> {
  await runtime.removePodSandbox({ podSandboxId: id }).catch(goneIsFine)
  view.forget(id)
}

/** Everything of the pod, its logs too. */
export async function removeAllRecords(pod: Pod, observed: ObservedPod, parts: Parts): Promise<void> {
  for (const { id } of observed.containers) await removeContainer(id, false, pod, observed, parts)
  for (const { id } of observed.sandboxes) await removeSandbox(id, parts)
  await rm(podLogDir(parts.facts, pod), { recursive: true, force: true })
}
