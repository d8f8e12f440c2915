// Carries pod statuses to the API, in order, without ever holding up a worker. Steps that a watcher is meant to
// see are each written, even when the next is there already; further statuses of the same step replace one another, and
// so do, while the API cannot keep up, those that only count init containers.

import { pods } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Pod, PodStatus } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { nextTurn } from '../../base/next-turn.ts'
import type { Client } from '../../client/client.ts'
import { isStatic } from '../static-pods/static-pod.ts'
import { statusPatch } from './status-patch.ts'
import { isInitProgress, visibleStep } from './visible-step.ts'

const RETRY_MS = 200
const RETRY_MAX_MS = 10_000

interface Queued {
  status: PodStatus
  step: string
  isProgress: boolean
}

interface Track {
  pod: Pod
  /** What the API shows, as far as known. */
  written: PodStatus
  /** To be written, oldest first. */
  queue: Queued[]
  /** What the worker set last. */
  latest: PodStatus
  busy: boolean
  /** The first of the queue is on its way. */
  writing: boolean
  /** Something is under way that is about to change the status. */
  held?: PromiseWithResolvers<void>
  idle: (() => void)[]
}

export class StatusWriter {
  readonly #client: Client
  readonly #clock: Clock
  readonly #log: Log
  readonly #tracks = new Map<string, Track>()
  /** By uid of a static pod: the object that stands for it. */
  readonly #mirrors = new Map<string, Pod>()
  #signal = new AbortController().signal

  constructor(client: Client, clock: Clock, log: Log) {
    this.#client = client
    this.#clock = clock
    this.#log = log
  }

  /** Writes stop when the signal aborts. */
  start(signal: AbortSignal): void {
    this.#signal = signal
  }

  /** The last status set here; undefined for a pod that has none yet. */
  latest(uid: string): PodStatus | undefined {
    return this.#tracks.get(uid)?.latest
  }

  /** Queues the status when it differs from the last one. Returns at once. */
  set(pod: Pod, status: PodStatus): void {
    const track = this.#track(pod)
    track.latest = status
    const last = track.queue.at(-1)
    if (!statusPatch(last?.status ?? track.written, status)) return
    const next = queued(pod, status)
    // The one being written may not be replaced.
    const mayReplace = last && !(track.writing && track.queue.length === 1)
    if (mayReplace && (last.step === next.step || (last.isProgress && next.isProgress)))
      track.queue[track.queue.length - 1] = next
    else track.queue.push(next)
    if (!track.busy) void this.#drain(pod.metadata.uid, track)
  }

  /**
   * What is under way will have changed the status in a moment: nothing is written before it is over. To be let go by
   * calling what is answered.
   */
  hold(pod: Pod): () => void {
    const track = this.#track(pod)
    const held = Promise.withResolvers<void>()
    track.held?.resolve()
    track.held = held
    return () => {
      held.resolve()
      if (track.held === held) delete track.held
    }
  }

  /** The pod as the API shows it now: what others wrote into its status is taken over. */
  observe(pod: Pod): void {
    const track = this.#tracks.get(pod.metadata.uid)
    if (!track) return
    track.pod = pod
    if (!track.busy && track.queue.length === 0) track.written = pod.status
  }

  /**
   * Statuses of the static pod of this uid go to its mirror in the API. Undefined: it has none now, and the last
   * status is kept until it has one.
   */
  address(uid: string, mirror: Pod | undefined): void {
    const before = this.#mirrors.get(uid)
    if (mirror) this.#mirrors.set(uid, mirror)
    else this.#mirrors.delete(uid)
    const track = this.#tracks.get(uid)
    if (!mirror || !track || track.busy) return
    const isNew = before?.metadata.uid !== mirror.metadata.uid
    if (isNew || track.queue.length === 0) track.written = mirror.status
    if (isNew && track.queue.length === 0 && statusPatch(track.written, track.latest))
      track.queue.push(queued(track.pod, track.latest))
    if (track.queue.length > 0) void this.#drain(uid, track)
  }

  /** Resolves when all that was set for the pod has been written, or cannot be any more. */
  async settled(uid: string): Promise<void> {
    const track = this.#tracks.get(uid)
    if (track?.busy) await new Promise<void>(resolve => track.idle.push(resolve))
  }

  forget(uid: string): void {
    const track = this.#tracks.get(uid)
    if (!track) return
    track.queue = []
    this.#tracks.delete(uid)
  }

  #track(pod: Pod): Track {
    const known = this.#tracks.get(pod.metadata.uid)
    if (known) return known
    const written = this.#mirrors.get(pod.metadata.uid)?.status ?? pod.status
    const track: Track = {
      pod,
      written,
      queue: [],
      latest: pod.status,
      busy: false,
      writing: false,
      idle: [],
    }
    this.#tracks.set(pod.metadata.uid, track)
    return track
  }

  async #drain(uid: string, track: Track): Promise<void> {
    track.busy = true
    // What the worker does next, starting a container mostly, goes before telling of what was.
    await nextTurn()
    let delayMs = RETRY_MS
    while (track.queue.length > 0 && !this.#signal.aborted) {
      await this.#letGo(track)
      const next = track.queue[0]
      if (!next) break
      track.writing = true
      const outcome = await this.#write(track, next.status)
      track.writing = false
      if (outcome === 'gone') track.queue = []
      else if (outcome === 'nobody') break
      else if (outcome === 'written') {
        track.queue.shift()
        delayMs = RETRY_MS
      } else {
        await this.#clock.sleep(delayMs, this.#signal).catch(() => {})
        delayMs = Math.min(delayMs * 2, RETRY_MAX_MS)
      }
    }
    track.busy = false
    for (const resolve of track.idle.splice(0)) resolve()
    const mayGoOn = this.#addressee(track) !== undefined && !this.#signal.aborted
    if (this.#tracks.get(uid) === track && track.queue.length > 0 && mayGoOn) void this.#drain(uid, track)
  }

  /** Not what is begun meanwhile: a pod whose containers end as fast as they start is told of all the same. */
  async #letGo({ held }: Track): Promise<void> {
    if (!held) return
    await held.promise
    await nextTurn()
  }

  async #write(track: Track, status: PodStatus): Promise<'written' | 'gone' | 'again' | 'nobody'> {
    const addressee = this.#addressee(track)
    if (!addressee) return 'nobody'
    const patch = statusPatch(track.written, status)
    if (!patch) return 'written'
    const { name, namespace, uid } = addressee.metadata
    try {
      const key = { name, ...(namespace && { namespace }) }
      const document = { metadata: { uid }, status: patch }
      const answer = await this.#client.patch(pods, key, 'application/strategic-merge-patch+json', document, {
        subresource: 'status',
        signal: this.#signal,
      })
      track.written = answer.status
      return 'written'
    } catch (error) {
      if (this.#signal.aborted) return 'again'
      if (isNotFound(error) || isOtherPod(error)) return 'gone'
      this.#log.warn(
        { error, pod: `${namespace}/${name}` },
        'a pod status could not be written; trying again',
      )
      if (isRefused(error)) return 'written'
      track.written = (await this.#current(addressee)) ?? track.written
      return 'again'
    }
  }

  /** The object that the status is written to. */
  #addressee({ pod }: Track): Pod | undefined {
    return isStatic(pod) ? this.#mirrors.get(pod.metadata.uid) : pod
  }

  async #current({ metadata }: Pod): Promise<PodStatus | undefined> {
    const { name, namespace, uid } = metadata
    const pod = await this.#client.get(pods, { name, ...(namespace && { namespace }) }).catch(() => undefined)
    return pod?.metadata.uid === uid ? pod.status : undefined
  }
}

const queued = (pod: Pod, status: PodStatus): Queued => ({
  status,
  step: visibleStep(pod, status),
  isProgress: isInitProgress(pod, status),
})

/** The uid in a patch is a precondition: another one there is a conflict. */
const isOtherPod = (error: unknown) =>
  /uid/i.test((error as Error).message) &&
  /conflict|precondition|cannot be fulfilled/i.test((error as Error).message)

/** The server found the status invalid; writing it again would not help. */
const isRefused = (error: unknown) => (error as { status?: { code?: number } }).status?.code === 422
