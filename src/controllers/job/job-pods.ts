// Creates, deletes and releases the Pods of a Job. What it asks for is expected until the informer shows it.
import { pods as podResource } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Job } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'
import { keyOf } from '../../client/lister.ts'
import type { Expectations } from '../pod-control/expectations.ts'
import { createPods } from '../pod-control/expected-pods.ts'
import type { PodControl } from '../pod-control/pod-control.ts'
import { isReady } from '../pod-control/pod-state.ts'
import { isTracked, TRACKING_FINALIZER } from './job-facts.ts'
import { podOfJob } from './job-pod.ts'
import type { ReleasedFinalizers } from './released-finalizers.ts'

export interface JobPodsParts {
  client: Client
  podControl: PodControl
  expectations: Expectations
  released: ReleasedFinalizers
}

export interface Removal {
  removed: number
  removedReady: number
  error?: unknown
}

export class JobPods {
  readonly #parts: JobPodsParts

  constructor(parts: JobPodsParts) {
    this.#parts = parts
  }

  /** Answers how many are there, and the first failure. */
  async create(
    job: Job,
    count: number,
    indexes: readonly number[] | undefined,
    replaced: ReadonlyMap<number, Pod>,
  ): Promise<{ created: number; error?: unknown }> {
    const { expectations, podControl } = this.#parts
    const key = keyOf(job)
    expectations.expectCreations(key, count)
    const expected = { key, owner: job, podControl, expectations }
    const { successes, error } = await createPods(expected, count, number => {
      const index = indexes?.[number]
      return podOfJob(job, index, index === undefined ? undefined : replaced.get(index))
    })
    return { created: successes, error }
  }

  /** `uncounted`: they are taken back and count neither as failed nor as succeeded. Upstream: deleteJobPods. */
  async remove(job: Job, pods: readonly Pod[], { uncounted }: { uncounted: boolean }): Promise<Removal> {
    const { expectations, podControl, client } = this.#parts
    const key = keyOf(job)
    expectations.expectDeletions(key, pods.map(keyOf))
    const removal: Removal = { removed: 0, removedReady: 0 }
    const remove = async (pod: Pod) => {
      try {
        if (uncounted && isTracked(pod)) await releasePod(client, pod)
        await podControl.delete(pod, job)
        removal.removed++
        if (isReady(pod)) removal.removedReady++
      } catch (error) {
        expectations.deletionObserved(key, keyOf(pod))
        if (isNotFound(error)) removal.removed++
        else removal.error ??= error
      }
    }
    await Promise.all(pods.map(remove))
    return removal
  }

  /** Takes the finalizers off. Answers the uids of those that are without it now, and the first failure. */
  async release(job: Job, pods: readonly Pod[]): Promise<{ uids: Set<string>; error?: unknown }> {
    const { client, released } = this.#parts
    const key = keyOf(job)
    const uids = new Set<string>()
    released.expect(
      key,
      pods.map(({ metadata }) => metadata.uid),
    )
    let failure: unknown
    const release = async (pod: Pod) => {
      const { uid } = pod.metadata
      try {
        await releasePod(client, pod)
        uids.add(uid)
      } catch (error) {
        released.settle(key, uid)
        if (isNotFound(error)) uids.add(uid)
        else failure ??= error
      }
    }
    await Promise.all(pods.map(release))
    return { uids, error: failure }
  }
}

/** Takes the tracking finalizer off, whatever else changes meanwhile. */
export async function releasePod(client: Client, { metadata: { name, namespace } }: Pod): Promise<void> {
  const patch = { metadata: { '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } }
  const key = { name, namespace: namespace! }
  await client.patch(podResource, key, 'application/strategic-merge-patch+json', patch)
}
