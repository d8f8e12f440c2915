// Starts Jobs by schedule: watches CronJobs and their Jobs, and wakes when the next moment comes.
// Upstream: pkg/controller/cronjob/cronjob_controllerv2.go.
import { ScheduleError } from '../../api/cron-schedule.ts'
import { cronJobs as cronJobResource, jobs as jobResource } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { CronJob, Job } from '../../api/types/batch-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { controlledBy, ownerIndexers } from '../pod-control/owned-index.ts'
import { runCronJobRound } from './cron-job-round.ts'
import { scheduleOf, untilNextMs } from './schedule-times.ts'

/** Upstream: --concurrent-cron-job-syncs. */
const CONCURRENCY = 5

export class CronJobController {
  readonly #context: ControllerContext
  readonly #recorder: EventRecorder
  readonly #queue: WorkQueue<string>
  readonly #cronJobs: Informer<CronJob>
  readonly #jobs: Informer<Job>

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#recorder = new EventRecorder({ client, component: 'cronjob-controller', clock, log })
    this.#queue = new WorkQueue({ clock })
    this.#cronJobs = new Informer({ client, resource: cronJobResource, clock, log })
    this.#jobs = new Informer({ client, resource: jobResource, clock, log, indexers: ownerIndexers })
    this.#cronJobs.addHandler({
      add: cronJob => this.#queue.add(keyOf(cronJob)),
      update: (old, cronJob) => this.#changed(old, cronJob),
      delete: cronJob => this.#queue.add(keyOf(cronJob)),
    })
    const enqueue = (job: Job) => this.#enqueueOwner(job)
    this.#jobs.addHandler({ add: enqueue, update: (_, job) => enqueue(job), delete: enqueue })
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#cronJobs, this.#jobs]
    const reconcile = (key: string) => this.#reconcile(key)
    const loop = { queue: this.#queue, reconcile, signal, log: this.#context.log, concurrency: CONCURRENCY }
    await runController({ informers, ...loop })
  }

  /** A changed schedule begins with its next moment, not with one that is over. */
  #changed(old: CronJob, cronJob: CronJob): void {
    const { schedule, timeZone } = cronJob.spec
    if (old.spec.schedule === schedule && old.spec.timeZone === timeZone) {
      this.#queue.add(keyOf(cronJob))
      return
    }
    try {
      const wait = untilNextMs(cronJob, scheduleOf(cronJob), this.#context.clock.now())
      if (wait !== undefined) this.#queue.addAfter(keyOf(cronJob), wait)
    } catch (error) {
      if (!(error instanceof ScheduleError)) throw error
      this.#queue.add(keyOf(cronJob))
    }
  }

  #enqueueOwner(job: Job): void {
    const reference = controllerOf(job)
    if (reference?.kind !== 'CronJob') return
    const cronJob = this.#cronJobs.lister.find(reference.name, job.metadata.namespace)
    if (cronJob?.metadata.uid === reference.uid) this.#queue.add(keyOf(cronJob))
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const { client, clock } = this.#context
    const cronJob = this.#cronJobs.lister.findByKey(key)
    if (!cronJob) return undefined
    const { name, namespace } = cronJob.metadata
    const parts = {
      client,
      recorder: this.#recorder,
      now: clock.now(),
      fresh: () => client.get(cronJobResource, { name, namespace: namespace! }),
    }
    const jobs = controlledBy(this.#jobs.lister, cronJob.metadata.uid)
    const { status, againInMs, error } = await runCronJobRound(parts, cronJob, jobs)
    try {
      if (status) await client.update(cronJobResource, { ...cronJob, status }, { subresource: 'status' })
    } catch (failure) {
      if (isNotFound(failure)) return undefined
      if (!isConflict(failure)) throw failure
      this.#queue.addRateLimited(key)
    }
    if (error !== undefined) throw error
    return againInMs === undefined ? undefined : { requeueAfterMs: againInMs }
  }
}
