// Every pod's grant and the state of its resize: asked for, waiting, being carried out, done. The worker carries out;
// here is decided what it may. Upstream: allocation_manager.go and the resize conditions of status_manager.go.

import { qosClass } from '../../api/pod/qos.ts'
import { podRequests } from '../../api/pod/resources.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Node, Pod } from '../../api/types/core-v1.ts'
import type { PassiveClock } from '../../base/clock.ts'
import type { PodEvents } from '../pod-events.ts'
import { type Allocation, allocationOf, reportedAllocation, withAllocation } from './allocation.ts'
import { compareWaiting, judgeResize, type Waiting } from './judge-resize.ts'
import { resizeMessage } from './resize-message.ts'

/** For the pod's conditions PodResizePending and PodResizeInProgress. */
export interface ResizeState {
  pending?: { reason: 'Deferred' | 'Infeasible'; message: string; generation: number }
  inProgress?: { generation: number; error?: string }
}

interface PodRecord {
  /** As the API has it. */
  pod: Pod
  allocation: Allocation
  state: ResizeState
  waitingSince: number
}

export interface ResizesParts {
  clock: PassiveClock
  events: PodEvents
  /** Undefined before the node is registered. */
  node(): Node | undefined
  /** The pods that the node has taken and that are not over. */
  active(): readonly Pod[]
  /** The pod's grant or its state has changed. */
  changed(pod: Pod): void
}

const NOTHING: ResizeState = {}

export class Resizes {
  readonly #parts: ResizesParts
  readonly #pods = new Map<string, PodRecord>()

  constructor(parts: ResizesParts) {
    this.#parts = parts
  }

  /** A pod that the kubelet sees for the first time. Answers it with what it has been granted. */
  seen(pod: Pod): Pod {
    const allocation = pod.status.startTime ? reportedAllocation(pod) : allocationOf(pod)
    const record: PodRecord = { pod, allocation, state: NOTHING, waitingSince: this.#parts.clock.now() }
    this.#pods.set(pod.metadata.uid, record)
    this.#consider(record)
    return withAllocation(pod, record.allocation)
  }

  /** The API has another version of the pod. Answers it with what it has been granted. */
  updated(pod: Pod): Pod {
    const record = this.#pods.get(pod.metadata.uid)
    if (!record) return this.seen(pod)
    const asked = record.pod.metadata.generation !== pod.metadata.generation
    record.pod = pod
    if (asked) this.#consider(record)
    return withAllocation(pod, record.allocation)
  }

  state(uid: string): ResizeState {
    return this.#pods.get(uid)?.state ?? NOTHING
  }

  /** Everything of the pod's containers is as granted. */
  completed(uid: string): void {
    const record = this.#pods.get(uid)
    if (!record?.state.inProgress) return
    const { generation } = record.state.inProgress
    const { inProgress: _, ...rest } = record.state
    record.state = rest
    const granted = withAllocation(record.pod, record.allocation)
    const text = resizeMessage('Pod resize completed', granted, generation)
    this.#parts.events.tell(record.pod, 'Normal', 'ResizeCompleted', text)
    this.reconsider()
  }

  /** It could not be carried out now; it will be tried again. */
  failed(uid: string, error: string): void {
    const record = this.#pods.get(uid)
    const inProgress = record?.state.inProgress
    if (!record || !inProgress || inProgress.error === error) return
    record.state = { ...record.state, inProgress: { ...inProgress, error } }
    const granted = withAllocation(record.pod, record.allocation)
    const text = resizeMessage('Pod resize error', granted, inProgress.generation, error)
    this.#parts.events.tell(record.pod, 'Warning', 'ResizeError', text)
  }

  /** The pod is gone from the node: others may get what it had. */
  forget(uid: string): void {
    if (this.#pods.delete(uid)) this.reconsider()
  }

  /** Looks at waiting resizes again: something has become free. */
  reconsider(): void {
    const waiting = [...this.#pods.values()].filter(({ state }) => state.pending?.reason === 'Deferred')
    const ranked = waiting.map(record => ({ record, rank: rankOf(record) }))
    for (const { record } of ranked.sort((a, b) => compareWaiting(a.rank, b.rank))) {
      const before = record.state
      this.#consider(record)
      if (record.state !== before) this.#parts.changed(withAllocation(record.pod, record.allocation))
    }
  }

  #consider(record: PodRecord): void {
    const { pod } = record
    const node = this.#parts.node()
    if (withAllocation(pod, record.allocation) === pod) {
      const { pending: _, ...rest } = record.state
      if (record.state.pending) record.state = rest
      return
    }
    if (!node) return
    const others = this.#parts.active().filter(({ metadata }) => metadata.uid !== pod.metadata.uid)
    const verdict = judgeResize(pod, node, others)
    if (verdict.verdict === 'granted') this.#grant(record)
    else this.#postpone(record, verdict.verdict, verdict.message)
  }

  #grant(record: PodRecord): void {
    const { pod } = record
    record.allocation = allocationOf(pod)
    record.state = { inProgress: { generation: pod.metadata.generation ?? 0 } }
    this.#parts.events.tell(pod, 'Normal', 'ResizeStarted', resizeMessage('Pod resize started', pod))
  }

  #postpone(record: PodRecord, reason: 'Deferred' | 'Infeasible', message: string): void {
    const { pod, state } = record
    const generation = pod.metadata.generation ?? 0
    const { pending } = state
    if (pending?.reason === reason && pending.message === message && pending.generation === generation) return
    if (!pending) record.waitingSince = this.#parts.clock.now()
    record.state = { ...state, pending: { reason, message, generation } }
    const text = resizeMessage(`Pod resize ${reason}`, pod, generation, message)
    this.#parts.events.tell(pod, 'Warning', `Resize${reason}`, text)
  }
}

function rankOf({ pod, allocation, waitingSince }: PodRecord): Waiting {
  const [before, now] = [podRequests(withAllocation(pod, allocation)), podRequests(pod)]
  const grows = ['cpu', 'memory'].some(
    name => (now.get(name) ?? Quantity.zero).compare(before.get(name) ?? Quantity.zero) > 0,
  )
  return {
    shrinks: !grows,
    priority: pod.spec.priority ?? 0,
    guaranteed: qosClass(pod.spec) === 'Guaranteed',
    since: waitingSince,
  }
}
