// Deletes finished Jobs when their time is over. Upstream: pkg/controller/ttlafterfinished.
import { jobs as jobResource } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { Job } from '../../api/types/batch-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { conditionOf } from '../job/job-facts.ts'

/** Runs until the signal aborts. */
export async function runTtlAfterFinishedController(
  { client, clock, log }: ControllerContext,
  signal: AbortSignal,
): Promise<void> {
  const queue = new WorkQueue<string>({ clock })
  const jobs = new Informer<Job>({ client, resource: jobResource, clock, log })
  const enqueue = (job: Job) => {
    if (expiresAt(job) !== undefined) queue.add(keyOf(job))
  }
  jobs.addHandler({ add: enqueue, update: (_, job) => enqueue(job) })
  const reconcile = async (key: string): Promise<Requeue | undefined> => {
    const job = jobs.lister.findByKey(key)
    const at = job && expiresAt(job)
    if (at === undefined) return undefined
    const left = at - clock.now()
    if (left > 0) return { requeueAfterMs: left }
    const { name, namespace, uid } = job!.metadata
    try {
      // Its time may have been prolonged while the informer was behind.
      const fresh = await client.get(jobResource, { name, namespace: namespace! })
      const due = expiresAt(fresh)
      if (due === undefined) return undefined
      if (due > clock.now()) return { requeueAfterMs: due - clock.now() }
      const options = { propagationPolicy: 'Foreground' as const, preconditions: { uid } }
      await client.delete(jobResource, { name, namespace: namespace! }, options)
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
    return undefined
  }
  await runController({ informers: [jobs], queue, reconcile, signal, log, concurrency: 5 })
}

/** Epoch milliseconds; undefined when the Job stays. */
export function expiresAt(job: Job): number | undefined {
  const { ttlSecondsAfterFinished } = job.spec
  if (ttlSecondsAfterFinished === undefined || job.metadata.deletionTimestamp) return undefined
  const end = conditionOf(job, 'Complete') ?? conditionOf(job, 'Failed')
  if (!end?.lastTransitionTime) return undefined
  return Date.parse(end.lastTransitionTime) + ttlSecondsAfterFinished * 1_000
}
