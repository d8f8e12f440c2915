// Answers exec, attach and port-forward requests: finds container or sandbox, asks the runtime for a streaming URL.
// Upstream: Kubelet.GetExec, GetAttach and GetPortForward.

import type {
  AttachOptions,
  ExecOptions,
  PodReference,
  PortForwarder,
  RemoteSession,
} from '../../api/node-access.ts'
import { StatusError } from '../../api/status-error.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import { forwardPort } from './forward-port.ts'
import { remoteSession } from './remote-session.ts'

export interface PodStreamingParts {
  runtime: RuntimeService
  isKnown: (uid: string) => boolean
}

export class PodStreaming {
  readonly #parts: PodStreamingParts

  constructor(parts: PodStreamingParts) {
    this.#parts = parts
  }

  async exec(pod: PodReference, options: ExecOptions): Promise<RemoteSession> {
    const containerId = await this.#runningContainer(pod, options.container)
    if (!containerId) throw refusal(500, `container not found (${JSON.stringify(options.container)})`)
    const { command, stdin, stdout, stderr, tty } = options
    const request = { containerId, cmd: [...command], stdin, stdout, stderr, tty }
    const { url } = await this.#parts.runtime.exec(request).catch(refused)
    return remoteSession(url, options)
  }

  /** Whether there is a terminal is the container's own choice, whatever is asked for. */
  async attach(pod: PodReference, options: AttachOptions): Promise<RemoteSession> {
    const { container } = options
    const containerId = await this.#runningContainer(pod, container)
    if (!containerId)
      throw refusal(500, `container ${container} not found in pod ${pod.name}_${pod.namespace}`)
    const { stdin, stdout, stderr, tty } = options
    const request = { containerId, stdin, stdout, stderr, tty }
    const { url } = await this.#parts.runtime.attach(request).catch(refused)
    return remoteSession(url, options)
  }

  async portForward(pod: PodReference): Promise<PortForwarder> {
    this.#require(pod)
    const podSandboxId = await this.#readySandbox(pod)
    const { runtime } = this.#parts
    return forwardPort(async port => (await runtime.portForward({ podSandboxId, port: [port] })).url)
  }

  #require({ uid }: PodReference): void {
    if (!this.#parts.isKnown(uid)) throw refusal(404, 'pod does not exist')
  }

  async #runningContainer(pod: PodReference, name: string): Promise<string | undefined> {
    this.#require(pod)
    const { containers } = await this.#parts.runtime
      .listContainers({
        filter: {
          state: { state: 'CONTAINER_RUNNING' },
          labelSelector: { [LABEL.podUid]: pod.uid, [LABEL.containerName]: name },
        },
      })
      .catch(refused)
    return containers.sort((a, b) => b.createdAt - a.createdAt)[0]?.id
  }

  async #readySandbox(pod: PodReference): Promise<string> {
    const { items } = await this.#parts.runtime
      .listPodSandbox({
        filter: { state: { state: 'SANDBOX_READY' }, labelSelector: { [LABEL.podUid]: pod.uid } },
      })
      .catch(refused)
    const newest = items.sort((a, b) => b.createdAt - a.createdAt)[0]
    if (!newest) throw refusal(500, `pod not found (${JSON.stringify(`${pod.name}_${pod.namespace}`)})`)
    return newest.id
  }
}

const GRPC_HTTP: Readonly<Record<number, number>> = { 5: 404, 8: 429 }

/** What the runtime refuses is told with its words. Upstream: streaming.WriteError. */
function refused(error: unknown): never {
  const code = (error as { code?: number }).code ?? 0
  throw refusal(GRPC_HTTP[code] ?? 500, error instanceof Error ? error.message : String(error))
}

function refusal(code: number, message: string): StatusError {
  return new StatusError({ code, message })
}
