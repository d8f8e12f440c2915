// Reads the runtime's sandboxes and containers as ObservedContainer and ObservedSandbox. Remembers what cannot
// change any more, so that looking again costs two lists. It decides nothing and changes nothing.
import type {
  Container,
  ContainerStatus,
  PodSandbox,
  PodSandboxStatus,
  RuntimeService,
} from '../../runtime/cri/cri.generated.ts'
import type { ObservedContainer, ObservedSandbox } from '../pod-worker/observed-pod.ts'
import { ANNOTATION, LABEL } from './cri-labels.ts'
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
  readonly #runtime: RuntimeService
  /** By container id: the last status, good as long as the listed state is the same. */
  readonly #containers = new Map<string, ObservedContainer>()
  readonly #sandboxes = new Map<string, ObservedSandbox>()

  constructor(runtime: RuntimeService) {
    this.#runtime = runtime
  }

  /** What the runtime has of one pod now. */
  async observe(uid: string): Promise<RuntimePod> {
    const filter = { labelSelector: { [LABEL.podUid]: uid } }
    const [{ items }, { containers }] = await Promise.all([
      this.#runtime.listPodSandbox({ filter }),
      this.#runtime.listContainers({ filter }),
    ])
    const [sandboxes, observed] = await Promise.all([
      Promise.all(items.map(sandbox => this.#sandbox(sandbox))),
      Promise.all(containers.map(container => this.#container(container))),
    ])
    return {
      sandboxes: sandboxes
        .filter(sandbox => sandbox !== undefined)
        .sort((a, b) => b.attempt - a.attempt || b.createdAt - a.createdAt),
      containers: observed.filter(container => container !== undefined).sort(newestFirst),
    }
  }

  /** Every pod that has a sandbox or a container. */
  async pods(): Promise<RuntimePodName[]> {
    const [{ items }, { containers }] = await Promise.all([
      this.#runtime.listPodSandbox({}),
      this.#runtime.listContainers({}),
    ])
    const names = new Map<string, RuntimePodName>()
    for (const { labels } of [...items, ...containers]) {
      const uid = labels[LABEL.podUid]
      if (!uid) continue
      names.set(uid, { uid, name: labels[LABEL.podName] ?? '', namespace: labels[LABEL.podNamespace] ?? '' })
    }
    return [...names.values()]
  }

  /** To be called when a container or sandbox is removed. */
  forget(id: string): void {
    this.#containers.delete(id)
    this.#sandboxes.delete(id)
  }

  async #sandbox(listed: PodSandbox): Promise<ObservedSandbox | undefined> {
    const ready = listed.state === 'SANDBOX_READY'
    const known = this.#sandboxes.get(listed.id)
    if (known?.ready === ready && (!ready || known.ips.length > 0 || known.network === 'NODE')) return known
    const status = await goneIsUndefined(
      this.#runtime.podSandboxStatus({ podSandboxId: listed.id, verbose: false }),
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
      this.#runtime.containerStatus({ containerId: listed.id, verbose: false }),
    )
    if (!answer) return undefined
    const message = answer.status.state === 'CONTAINER_EXITED' ? await terminationMessage(answer.status) : ''
    const observed = observedContainer(answer.status, listed.podSandboxId, message)
    this.#containers.set(listed.id, observed)
    return observed
  }
}

const newestFirst = (a: ObservedContainer, b: ObservedContainer) =>
  b.createdAt - a.createdAt || b.restartCount - a.restartCount

const STATES = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
} as const

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

const toMs = (nanoseconds: number) => Math.floor(nanoseconds / 1_000_000)

function observedSandbox(status: PodSandboxStatus): ObservedSandbox {
  const { ip = '', additionalIps = [] } = status.network ?? {}
  return {
    id: status.id,
    attempt: status.metadata.attempt,
    ready: status.state === 'SANDBOX_READY',
    createdAt: toMs(status.createdAt),
    network: status.linux?.namespaces?.options?.network ?? 'POD',
    ips: [ip, ...additionalIps.map(({ ip }) => ip)].filter(Boolean),
  }
}

function observedContainer(status: ContainerStatus, sandboxId: string, message: string): ObservedContainer {
  const { annotations } = status
  const grace =
    annotations[ANNOTATION.podDeletionGracePeriod] ?? annotations[ANNOTATION.podTerminationGracePeriod]
  const user = status.user?.linux
  return {
    id: status.id,
    name: status.labels[LABEL.containerName] ?? status.metadata.name,
    sandboxId,
    state: STATES[status.state],
    createdAt: toMs(status.createdAt),
    startedAt: toMs(status.startedAt),
    finishedAt: toMs(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message,
    image: status.image.image,
    imageRef: status.imageRef,
    restartCount: Number(annotations[ANNOTATION.restartCount] ?? status.metadata.attempt),
    hash: annotations[ANNOTATION.hash] ?? '',
    gracePeriodSeconds: Number(grace ?? 30),
    logPath: status.logPath,
    ...(user && { user }),
  }
}
