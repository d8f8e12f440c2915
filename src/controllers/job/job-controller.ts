// Runs Jobs to completion: watches Jobs and their Pods and gives each Job its rounds (job-round.ts).
// Upstream: pkg/controller/job/job_controller.go.

import { matcherOf } from '../../api/labels.ts'
import { jobs as jobResource, pods as podResource } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { Job } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { type Requeue, runInformed, runReconciler } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { claimObjects } from '../pod-control/claim-objects.ts'
import { Expectations } from '../pod-control/expectations.ts'
import { claimable, controlledBy, ownerIndexers } from '../pod-control/owned-index.ts'
import { ownerOf } from '../pod-control/owner-of.ts'
import { PodControl } from '../pod-control/pod-control.ts'
import { isFinished, isManagedElsewhere, isTracked, TRACKING_FINALIZER } from './job-facts.ts'
import { JobPods, releasePod } from './job-pods.ts'
import { runJobRound } from './job-round.ts'
import type { BackOffRecord } from './pod-back-off.ts'
import { ReleasedFinalizers } from './released-finalizers.ts'

/** Upstream: --concurrent-job-syncs. */
const CONCURRENCY = 5
const NO_FAILURES: BackOffRecord = { failuresAfterLastSuccess: 0 }

export class JobController {
  readonly #context: ControllerContext
  readonly #recorder: EventRecorder
  readonly #queue: WorkQueue<string>
  /** Pods with our finalizer that no Job counts any more. */
  readonly #orphans: WorkQueue<string>
  readonly #jobs: Informer<Job>
  readonly #pods: Informer<Pod>
  readonly #expectations: Expectations
  readonly #released = new ReleasedFinalizers()
  readonly #backOffs = new Map<string, BackOffRecord>()
  readonly #jobPods: JobPods

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    this.#context = context
    this.#recorder = new EventRecorder({ client, component: 'job-controller', clock, log })
    this.#queue = new WorkQueue({ clock, baseDelayMs: 100 })
    this.#orphans = new WorkQueue({ clock })
    this.#jobs = new Informer({ client, resource: jobResource, clock, log })
    this.#pods = new Informer({ client, resource: podResource, clock, log, indexers: ownerIndexers })
    this.#expectations = new Expectations(clock)
    const podControl = new PodControl({ client, recorder: this.#recorder })
    const expectations = this.#expectations
    this.#jobPods = new JobPods({ client, podControl, expectations, released: this.#released })
    this.#listen()
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log } = this.#context
    const jobs = { queue: this.#queue, reconcile: (key: string) => this.#reconcile(key) }
    const orphans = { queue: this.#orphans, reconcile: (key: string) => this.#release(key) }
    await runInformed([this.#jobs, this.#pods], signal, () =>
      Promise.all([
        runReconciler({ ...jobs, signal, log, concurrency: CONCURRENCY }),
        runReconciler({ ...orphans, signal, log }),
      ]),
    )
  }

  #listen(): void {
    this.#jobs.addHandler({
      add: job => this.#queue.add(keyOf(job)),
      update: (old, job) => {
        if (old.metadata.uid !== job.metadata.uid) this.#jobGone(old)
        if (isFinished(job)) this.#releaseAllOf(job)
        this.#queue.add(keyOf(job))
      },
      delete: job => this.#jobGone(job),
    })
    this.#pods.addHandler({
      add: pod => this.#podAdded(pod),
      update: (old, pod) => this.#podChanged(old, pod),
      delete: pod => this.#podGoes(pod, true),
    })
  }

  #jobGone(job: Job): void {
    const key = keyOf(job)
    this.#expectations.forget(key)
    this.#released.forget(key)
    this.#backOffs.delete(key)
    this.#releaseAllOf(job)
    this.#queue.add(key)
  }

  #releaseAllOf({ metadata: { uid } }: Job): void {
    for (const pod of controlledBy(this.#pods.lister, uid)) this.#releaseLater(pod)
  }

  #releaseLater(pod: Pod): void {
    if (isTracked(pod)) this.#orphans.add(keyOf(pod))
  }

  #podAdded(pod: Pod): void {
    if (pod.metadata.deletionTimestamp) {
      this.#podGoes(pod, false)
      return
    }
    const job = this.#jobOf(pod)
    if (job) {
      this.#expectations.creationObserved(keyOf(job))
      this.#queue.add(keyOf(job))
      return
    }
    this.#releaseLater(pod)
    this.#enqueueSelecting(pod)
  }

  #podChanged(old: Pod, pod: Pod): void {
    if (old.metadata.uid !== pod.metadata.uid) {
      this.#podGoes(old, true)
      this.#podAdded(pod)
      return
    }
    if (pod.metadata.deletionTimestamp) {
      this.#podGoes(pod, false)
      return
    }
    const before = this.#jobOf(old)
    const job = this.#jobOf(pod)
    if (before && !isTracked(pod)) this.#released.settle(keyOf(before), pod.metadata.uid)
    if (before && before !== job) this.#queue.add(keyOf(before))
    if (job) this.#queue.add(keyOf(job))
    else {
      this.#releaseLater(pod)
      this.#enqueueSelecting(pod)
    }
  }

  #podGoes(pod: Pod, gone: boolean): void {
    const job = this.#jobOf(pod)
    if (!job || isFinished(job)) {
      this.#releaseLater(pod)
      if (!job) return
    }
    const key = keyOf(job)
    this.#expectations.deletionObserved(key, keyOf(pod))
    if (gone || !isTracked(pod)) this.#released.settle(key, pod.metadata.uid)
    this.#queue.add(key)
  }

  #jobOf(pod: Pod): Job | undefined {
    const reference = controllerOf(pod)
    if (!reference || !isJobReference(reference)) return undefined
    return ownerOf(this.#jobs.lister, 'Job', pod)
  }

  /** A Pod that nobody controls may be adopted. */
  #enqueueSelecting(pod: Pod): void {
    if (controllerOf(pod)) return
    for (const job of this.#selecting(pod)) this.#queue.add(keyOf(job))
  }

  #selecting({ metadata }: Pod): Job[] {
    const jobs = this.#jobs.lister.list(metadata.namespace)
    return jobs.filter(({ spec }) => matcherOf(spec.selector)(metadata.labels))
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const job = this.#jobs.lister.findByKey(key)
    if (!job || isManagedElsewhere(job)) return undefined
    if (isFinished(job)) {
      this.#backOffs.delete(key)
      return undefined
    }
    const waitMs = this.#expectations.waitMs(key)
    try {
      const again = await this.#round(key, job, waitMs === 0)
      const waits = [waitMs, again ?? 0].filter(wait => wait > 0)
      return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      if (!isConflict(error)) throw error
      // Written by somebody else or by ourselves, and the informer is behind.
      this.#queue.addRateLimited(key)
      return undefined
    }
  }

  async #round(key: string, job: Job, satisfied: boolean): Promise<number | undefined> {
    const { client, clock } = this.#context
    const pods = await this.#claim(job)
    const parts = {
      client,
      recorder: this.#recorder,
      pods: this.#jobPods,
      now: clock.now(),
      backOff: this.#backOffs.get(key) ?? NO_FAILURES,
      satisfied,
      backOffChanged: (record: BackOffRecord) => this.#backOffs.set(key, record),
    }
    return runJobRound(parts, job, this.#released.apply(key, pods))
  }

  #claim(job: Job): Promise<Pod[]> {
    return claimObjects({
      client: this.#context.client,
      owner: job,
      ownerResource: jobResource,
      resource: podResource,
      objects: claimable(this.#pods.lister, job),
      selects: matcherOf(job.spec.selector),
      finalizer: TRACKING_FINALIZER,
    })
  }

  /** Upstream: syncOrphanPod. */
  async #release(key: string): Promise<void> {
    const pod = this.#pods.lister.findByKey(key)
    if (!pod || !isTracked(pod)) return
    const controller = controllerOf(pod)
    if (controller && !isJobReference(controller)) return
    // It is about to be adopted, and then needs the finalizer.
    const mayAdopt = (one: Job) => !isFinished(one) && !one.metadata.deletionTimestamp
    if (!controller && this.#selecting(pod).some(mayAdopt)) return
    const job = this.#jobOf(pod)
    if (job && (isManagedElsewhere(job) || !isFinished(job))) return
    try {
      await releasePod(this.#context.client, pod)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

const isJobReference = ({ apiVersion, kind }: { apiVersion: string; kind: string }): boolean =>
  apiVersion === 'batch/v1' && kind === 'Job'
