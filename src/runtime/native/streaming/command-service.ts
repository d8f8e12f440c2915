// The CRI's calls into what runs: commands, terminals, ports.
import type * as cri from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import type { ContainerStore } from '../containers/container-store.ts'
import { execSync } from '../containers/exec-sync.ts'
import type { SandboxStore } from '../sandbox/sandbox-store.ts'
import { StreamingCalls, type StreamingCallsOptions } from './streaming-calls.ts'

type Service = Pick<cri.RuntimeService, 'execSync' | 'exec' | 'attach' | 'portForward'>

export class CommandService implements Service {
  readonly #containers: ContainerStore
  readonly #sandboxes: SandboxStore
  readonly #options: StreamingCallsOptions
  readonly #streaming: StreamingCalls

  constructor(containers: ContainerStore, sandboxes: SandboxStore, options: StreamingCallsOptions) {
    this.#containers = containers
    this.#sandboxes = sandboxes
    this.#options = options
    this.#streaming = new StreamingCalls(options)
  }

  open(): Promise<void> {
    return this.#streaming.open()
  }

  close(): void {
    this.#streaming.close()
  }

  async execSync({ containerId, cmd, timeout }: cri.ExecSyncRequest): Promise<cri.ExecSyncResponse> {
    this.#containers.getRunning(containerId)
    const { choice, dir, clock } = this.#options
    return execSync({
      runtime: choice.path,
      ociRoot: dir.ociRoot,
      execs: dir.execs,
      id: containerId,
      command: cmd ?? [],
      timeoutSeconds: timeout ?? 0,
      clock,
    })
  }

  async exec(request: cri.ExecRequest): Promise<cri.ExecResponse> {
    this.#containers.getRunning(request.containerId)
    return { url: this.#streaming.exec(request) }
  }

  async attach(request: cri.AttachRequest): Promise<cri.AttachResponse> {
    this.#containers.getRunning(request.containerId)
    return { url: this.#streaming.attach(request) }
  }

  async portForward({ podSandboxId }: cri.PortForwardRequest): Promise<cri.PortForwardResponse> {
    const { id, ready } = this.#sandboxes.get(podSandboxId)
    if (ready) return { url: this.#streaming.portForward(id) }
    throw new CriError(CRI_CODE.failedPrecondition, `sandbox container ${podSandboxId} is not running`)
  }
}
