// Reads the runtime's sandboxes and containers as ObservedContainer and ObservedSandbox. What events have told, and
// what cannot change any more, is not asked for again. It decides nothing and changes nothing.
import type {
  Container,
  ContainerEventResponse,
  PodSandbox,
  RuntimeService,
} from '../../runtime/cri/cri.generated.ts'
import type { ObservedContainer, ObservedSandbox } from '../pod-worker/observed-pod.ts'
import { LABEL } from './cri-labels.ts'
import { followedRuntime } from './followed-runtime.ts'
import { isHidden, observedContainer, observedSandbox, STATES } from './observed.ts'
import { type ContainerEntry, type PodRecord, RuntimeRecords } from './runtime-records.ts'
import { terminationMessage } from './termination-message.ts'

export interface RuntimePod {
  /** Newest first. */
  sandboxes: ObservedSandbox[]
  /** Newest first. */
  containers: ObservedContainer[]
}

/** A pod as its labels in the runtime name it. */
export interface RuntimePodName {
  uid: string
  name: string
  namespace: string
}

export class RuntimeView {
  /** What changes the runtime must be done through this one, or the view would not notice in time. */
  readonly runtime: RuntimeService
  readonly #records = new RuntimeRecords()
  /** By container id: the last status, good as long as the listed state is the same. */
  readonly #containers = new Map<string, ObservedContainer>()
  readonly #sandboxes = new Map<string, ObservedSandbox>()

  constructor(runtime: RuntimeService) {
    this.runtime = followedRuntime(runtime, this.#records)
  }

  /** What the runtime has of one pod now. */
  async observe(uid: string): Promise<RuntimePod> {
    const record = this.#records.lookUp(uid) ?? (await this.#ask(uid))
    const containers = [...record.containers.values()].map(entry => this.#read(entry))
    return {
      sandboxes: [...record.sandboxes.values()].sort(
        (a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt,
      ),
      containers: containers.sort(newestFirst),
    }
  }

  /** Takes in an event. Answers the pod's uid when the event names it. */
  apply(event: ContainerEventResponse): string | undefined {
    return this.#records.apply(event)
  }

  /** Something of a container was changed that its state does not show. */
  changed(id: string, uid: string): void {
    this.#containers.delete(id)
    this.#records.distrust(uid)
  }

  /** Events may have been missed. */
  interrupted(): void {
    this.#records.interrupted()
  }

  async #ask(uid: string): Promise<PodRecord> {
    if (this.#records.wantsAll) await this.pods()
    const filter = { labelSelector: { [LABEL.podUid]: uid } }
    const moment = this.#records.moment
    const [{ items }, { containers }] = await Promise.all([
      this.runtime.listPodSandbox({ filter }),
      this.runtime.listContainers({ filter }),
    ])
    const [sandboxes, observed] = await Promise.all([
      Promise.all(items.map(sandbox => this.#sandbox(sandbox))),
      Promise.all(containers.map(container => this.#container(container))),
    ])
    const record = { sandboxes: byId(sandboxes), containers: byId(observed) }
    this.#records.store(uid, moment, record)
    return record
  }

  #read(entry: ContainerEntry): ObservedContainer {
    if (!('status' in entry)) return entry
    const { status, sandboxId } = entry
    const known = this.#containers.get(status.id)
    if (known?.state === STATES[status.state]) return known
    const message = status.state === 'CONTAINER_EXITED' ? terminationMessage(status) : ''
    const observed = observedContainer(status, sandboxId, message)
    this.#containers.set(status.id, observed)
    return observed
  }

  /** Every pod that has a sandbox or a container. */
  async pods(): Promise<RuntimePodName[]> {
    const { era } = this.#records
    const [{ items }, { containers }] = await Promise.all([
      this.runtime.listPodSandbox({}),
      this.runtime.listContainers({}),
    ])
    const names = new Map<string, RuntimePodName>()
    for (const { labels } of [...items, ...containers]) {
      const uid = labels[LABEL.podUid]
      if (!uid) continue
      names.set(uid, { uid, name: labels[LABEL.podName] ?? '', namespace: labels[LABEL.podNamespace] ?? '' })
    }
    this.#records.learnAll(era, names.keys())
    return [...names.values()]
  }

  /** To be called when a container or sandbox is removed. */
  forget(id: string): void {
    this.#records.forget(id)
    this.#containers.delete(id)
    this.#sandboxes.delete(id)
  }

  async #sandbox(listed: PodSandbox): Promise<ObservedSandbox | undefined> {
    const ready = listed.state === 'SANDBOX_READY'
    const known = this.#sandboxes.get(listed.id)
    if (known?.ready === ready && (!ready || known.ips.length > 0 || known.network === 'NODE')) return known
    const status = await goneIsUndefined(
      this.runtime.podSandboxStatus({ podSandboxId: listed.id, verbose: false }),
    )
    if (!status) return undefined
    const observed = observedSandbox(status.status)
    this.#sandboxes.set(listed.id, observed)
    return observed
  }

  async #container(listed: Container): Promise<ObservedContainer | undefined> {
    const known = this.#containers.get(listed.id)
    if (known && known.state === STATES[listed.state]) return known
    const answer = await goneIsUndefined(
      this.runtime.containerStatus({ containerId: listed.id, verbose: false }),
    )
    if (!answer || isHidden(answer.status)) return undefined
    return this.#read({ status: answer.status, sandboxId: listed.podSandboxId })
  }
}

const newestFirst = (a: ObservedContainer, b: ObservedContainer) =>
  b.createdAt - a.createdAt || b.restartCount - a.restartCount

function byId<T extends { id: string }>(things: readonly (T | undefined)[]): Map<string, T> {
  return new Map(things.flatMap(thing => (thing ? [[thing.id, thing]] : [])))
}

/** Between list and status a thing may be removed. gRPC's NotFound is code 5. */
async function goneIsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}

export function isGone(error: unknown): boolean {
  const { code, message = '' } = error as { code?: unknown; message?: string }
  return code === 5 || code === 'NotFound' || /not ?found|does not exist/i.test(message)
}
