// The workers of the node's pods, by uid: started when a pod is seen, gone when nothing of it is left.
import { readdir } from 'node:fs/promises'
import type { Pod } from '../api/types/core-v1.ts'
import { orphanPod } from './orphan-pod.ts'
import { podsDir } from './pod-paths.ts'
import { PodWorker } from './pod-worker/pod-worker.ts'
import type { WorkerParts } from './pod-worker/worker-parts.ts'
import { isTerminal } from './status/compute-status.ts'

export class PodWorkers {
  readonly #workers = new Map<string, PodWorker>()
  /** By uid: resolves when nothing of the pod is left. */
  readonly #running = new Map<string, Promise<void>>()

  /** `uid` is what the runtime knows the pod by. */
  get(uid: string): PodWorker | undefined {
    return this.#workers.get(uid)
  }

  all(): PodWorker[] {
    return [...this.#workers.values()]
  }

  /** Those whose pods are to run and have not ended. */
  active(): PodWorker[] {
    return this.all().filter(({ phase, pod }) => phase === 'running' && !isTerminal(pod.status.phase))
  }

  /** Pods that take something of the node, each with what it was granted. */
  taken(): Pod[] {
    return this.all()
      .filter(({ phase, isRejected }) => phase !== 'over' && phase !== 'gone' && !isRejected)
      .map(({ pod }) => pod)
      .filter(({ status }) => !isTerminal(status.phase))
  }

  /** The pod's uid must be new. */
  start(pod: Pod, parts: WorkerParts, signal: AbortSignal): PodWorker {
    const { uid } = pod.metadata
    const worker = new PodWorker(pod, parts)
    this.#workers.set(uid, worker)
    const over = worker.run(signal).then(() => {
      this.#workers.delete(uid)
      this.#running.delete(uid)
    })
    this.#running.set(uid, over)
    return worker
  }

  /** Each of them looks again. */
  wake(): void {
    for (const worker of this.#workers.values()) worker.wake()
  }

  /** Resolves when nothing of the pod is left here. */
  async over(uid: string): Promise<void> {
    await this.#running.get(uid)
  }

  /** Resolves when all have ended. */
  async allOver(): Promise<void> {
    await Promise.all(this.#running.values())
  }

  /** Stops pods of which only the runtime still knows, and clears away what else is left of pods without a worker. */
  async removeOrphans(nodeName: string, parts: WorkerParts, signal: AbortSignal): Promise<void> {
    const { view, volumes, cgroups, userNamespaces, facts, log } = parts
    for (const name of await view.pods()) {
      if (this.#workers.has(name.uid)) continue
      const pod = `${name.namespace}/${name.name}`
      log.info({ pod, uid: name.uid }, 'a pod that is gone from the API is stopped')
      const { containers } = await view.observe(name.uid)
      this.start(orphanPod(name, containers, nodeName), parts, signal).remove()
    }
    for (const uid of await readdir(podsDir(facts)).catch(() => [])) {
      if (this.#workers.has(uid)) continue
      await volumes.tearDownOrphan(uid)
      userNamespaces.release(uid)
    }
    for (const uid of cgroups.uids()) if (!this.#workers.has(uid)) cgroups.remove(uid)
  }
}
