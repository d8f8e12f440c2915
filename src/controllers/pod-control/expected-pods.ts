// Creates and deletes Pods that the caller has told Expectations of. What fails is no longer expected: no informer will
// show it. Upstream: manageReplicas, syncNodes.
import type { Draft } from '../../api/kube-object.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { keyOf } from '../../client/lister.ts'
import type { Owner } from './claim.ts'
import type { Expectations } from './expectations.ts'
import { isNamespaceTerminating, type PodControl } from './pod-control.ts'
import { slowStart } from './slow-start.ts'

export interface ExpectedPods {
  /** The owner's, as queue and expectations have it. */
  key: string
  owner: Owner
  podControl: PodControl
  expectations: Expectations
}

/** A few at first. Answers how many were made or cannot be any more, and the first failure. */
export async function createPods(
  { key, owner, podControl, expectations }: ExpectedPods,
  count: number,
  draft: (index: number) => Draft<Pod>,
): Promise<{ successes: number; error?: unknown }> {
  const result = await slowStart(count, async index => {
    try {
      await podControl.create(draft(index), owner)
    } catch (error) {
      if (!isNamespaceTerminating(error)) throw error
      // Nothing can be created there any more, and the informer will not show it.
      expectations.creationObserved(key)
    }
  })
  for (let skipped = count - result.successes; skipped > 0; skipped--) expectations.creationObserved(key)
  return result
}

/** All at once; one that is gone already is fine. Answers the first failure. */
export async function deletePods(
  { key, owner, podControl, expectations }: ExpectedPods,
  victims: readonly Pod[],
): Promise<unknown> {
  const results = await Promise.allSettled(
    victims.map(async pod => {
      try {
        await podControl.delete(pod, owner)
      } catch (error) {
        expectations.deletionObserved(key, keyOf(pod))
        if (!isNotFound(error)) throw error
      }
    }),
  )
  return results.find(result => result.status === 'rejected')?.reason
}
