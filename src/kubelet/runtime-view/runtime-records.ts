// What the runtime's own events have told of each pod: so that looking at a pod after an event asks nothing. A record
// is believed only while the stream is unbroken and it shows everything that was done through the runtime meanwhile.
import type { ContainerEventResponse, ContainerStatus } from '../../runtime/cri/cri.generated.ts'
import type { ObservedContainer, ObservedSandbox } from '../pod-worker/observed-pod.ts'
import { LABEL } from './cri-labels.ts'
import { isHidden, observedSandbox, STATES } from './observed.ts'

/** A container whose last status has not been read as an ObservedContainer yet. */
export interface Unread {
  status: ContainerStatus
  sandboxId: string
}

export type ContainerEntry = ObservedContainer | Unread

export interface PodRecord {
  sandboxes: Map<string, ObservedSandbox>
  containers: Map<string, ContainerEntry>
}

/** What a call that has returned must have brought about, of a container or ('stands') of a sandbox. */
export type Outcome = 'exists' | 'started' | 'ended' | 'gone' | 'stands'

interface Trusted extends PodRecord {
  /** By the container's or sandbox's id. */
  due: Map<string, Outcome>
}

export class RuntimeRecords {
  readonly #trusted = new Map<string, Trusted>()
  readonly #podOf = new Map<string, string>()
  /** Of which the runtime may have something. */
  readonly #pods = new Set<string>()
  /** Of no others has it anything. */
  #knowsAll = false
  /** Events arrive: what is read from now on will be kept current. */
  #live = false
  /** One ends whenever the stream breaks. */
  #era = 0
  #changes = 0

  /** To be handed to `store` with what is read from now on. */
  get moment(): number {
    return this.#live ? this.#changes : -1
  }

  /** The pod that an event is about; undefined when it does not say. */
  apply(event: ContainerEventResponse): string | undefined {
    this.#live = true
    this.#changes++
    const { podSandboxStatus: sandbox, containersStatuses: statuses } = event
    const uid =
      sandbox?.metadata.uid ||
      sandbox?.labels[LABEL.podUid] ||
      statuses.find(({ labels }) => labels[LABEL.podUid])?.labels[LABEL.podUid]
    // Events that do not name their pod come from a runtime that tells too little to be believed.
    if (uid) this.#pods.add(uid)
    else this.interrupted()
    const record = uid ? this.#trusted.get(uid) : undefined
    if (!uid || !record) return uid
    if (!sandbox || !tellsAll(event, sandbox.id, record)) {
      this.distrust(uid)
      return uid
    }
    this.#podOf.set(sandbox.id, uid)
    record.sandboxes.set(sandbox.id, observedSandbox(sandbox))
    if (event.containerEventType === 'CONTAINER_DELETED_EVENT') record.containers.delete(event.containerId)
    this.#applyContainers(record, uid, sandbox.id, statuses)
    return uid
  }

  #applyContainers(
    record: Trusted,
    uid: string,
    sandboxId: string,
    statuses: readonly ContainerStatus[],
  ): void {
    for (const status of statuses) {
      this.#podOf.set(status.id, uid)
      if (isHidden(status)) continue
      const known = record.containers.get(status.id)
      if (known && stateOf(known) === STATES[status.state]) continue
      record.containers.set(status.id, { status, sandboxId })
    }
  }

  /** The stream broke: nothing is known any more. */
  interrupted(): void {
    this.#live = false
    this.#era++
    this.#knowsAll = false
    this.#pods.clear()
    this.#trusted.clear()
  }

  /** Whether it is still to be learnt which pods the runtime has anything of, and can be: events arrive. */
  get wantsAll(): boolean {
    return this.#live && !this.#knowsAll
  }

  /** To be handed to `learnAll` with what is listed from now on. */
  get era(): number {
    return this.#live ? this.#era : -1
  }

  /** All pods that the runtime has something of, listed since `era`. */
  learnAll(era: number, uids: Iterable<string>): void {
    if (era !== this.era) return
    for (const uid of uids) this.#pods.add(uid)
    this.#knowsAll = this.#live
  }

  /** Something was done to the pod that no event tells fully: the next look asks the runtime. */
  distrust(uid: string): void {
    this.#changes++
    this.#pods.add(uid)
    this.#trusted.delete(uid)
  }

  /** A call on this container, or one that made this sandbox, returned. */
  expect(id: string, outcome: Outcome): void {
    const uid = this.#podOf.get(id)
    if (uid) this.#trusted.get(uid)?.due.set(id, outcome)
  }

  belongs(id: string, uid: string): void {
    this.#pods.add(uid)
    this.#podOf.set(id, uid)
  }

  podOf(id: string): string | undefined {
    return this.#podOf.get(id)
  }

  /** Keeps what was read since `moment`, unless something happened meanwhile. */
  store(uid: string, moment: number, record: PodRecord): void {
    for (const id of record.containers.keys()) this.#podOf.set(id, uid)
    for (const id of record.sandboxes.keys()) this.#podOf.set(id, uid)
    if (moment === this.#changes && this.#live) this.#trusted.set(uid, { ...record, due: new Map() })
  }

  /** The pod as the events have told it; undefined when the runtime must be asked. */
  lookUp(uid: string): PodRecord | undefined {
    if (this.#knowsAll && !this.#pods.has(uid)) this.#begin(uid)
    const record = this.#trusted.get(uid)
    if (!record) return undefined
    for (const [id, outcome] of record.due) {
      if (!holds(outcome, id, record)) return undefined
      record.due.delete(id)
    }
    return record
  }

  /** A pod that nobody has told of yet: it has nothing, and what it will have is going to be told. */
  #begin(uid: string): void {
    this.#pods.add(uid)
    this.#trusted.set(uid, { sandboxes: new Map(), containers: new Map(), due: new Map() })
  }

  forget(id: string): void {
    const uid = this.#podOf.get(id)
    this.#podOf.delete(id)
    const record = uid ? this.#trusted.get(uid) : undefined
    if (!uid || !record) return
    record.containers.delete(id)
    record.sandboxes.delete(id)
    if (record.sandboxes.size > 0) return
    this.#trusted.delete(uid)
    if (record.containers.size === 0) this.#pods.delete(uid)
  }
}

/** Runtimes differ in how much they put into an event. */
function tellsAll(event: ContainerEventResponse, sandboxId: string, { containers }: PodRecord): boolean {
  const { containerId, containerEventType, containersStatuses } = event
  const told = new Set([...containersStatuses.map(({ id }) => id), sandboxId])
  if (containerEventType === 'CONTAINER_DELETED_EVENT') told.add(containerId)
  return (
    told.has(containerId) &&
    [...containers].every(([id, entry]) => entry.sandboxId !== sandboxId || told.has(id))
  )
}

function holds(outcome: Outcome, id: string, { containers, sandboxes }: PodRecord): boolean {
  const entry = containers.get(id)
  const state = entry && stateOf(entry)
  switch (outcome) {
    case 'exists':
      return state !== undefined
    case 'started':
      return state === 'running' || state === 'exited'
    case 'ended':
      return state === undefined || state === 'exited'
    case 'gone':
      return state === undefined
    case 'stands':
      return sandboxes.has(id)
  }
}

const stateOf = (entry: ContainerEntry) => ('status' in entry ? STATES[entry.status.state] : entry.state)
