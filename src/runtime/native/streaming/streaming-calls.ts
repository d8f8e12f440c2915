// Exec, Attach and PortForward of the CRI: each answers a URL under which its session waits.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../base/clock.ts'
import type { Log } from '../../../base/log.ts'
import type { AttachRequest, ExecRequest } from '../../cri/cri.generated.ts'
import type { RuntimeChoice } from '../probe.ts'
import type { StateDir } from '../state-dir.ts'
import { attachSession } from './attach-session.ts'
import { execSession } from './exec-session.ts'
import { portForward } from './port-forward-session.ts'
import { remoteCommand } from './remote-command.ts'
import { StreamingServer } from './streaming-server.ts'

export interface StreamingCallsOptions {
  dir: StateDir
  choice: RuntimeChoice
  clock: Clock
  log: Log
}

export class StreamingCalls {
  readonly #options: StreamingCallsOptions
  readonly #server: StreamingServer

  constructor(options: StreamingCallsOptions) {
    this.#options = options
    this.#server = new StreamingServer(options)
  }

  /** Also forgets the folders of commands that an earlier runtime ran: they go on without. */
  open(): Promise<void> {
    const { execs } = this.#options.dir
    for (const name of readdirSync(execs)) rmSync(join(execs, name), { recursive: true, force: true })
    return this.#server.open()
  }

  close(): void {
    this.#server.close()
  }

  /** The container runs: the caller has looked. */
  exec({ containerId, cmd = [], ...wanted }: ExecRequest): string {
    const { dir, choice, clock } = this.#options
    const { ociRoot, execs } = dir
    const { path: runtime, kind } = choice
    const isRunc = kind === 'runc'
    const target = { runtime, isRunc, ociRoot, execs, bundle: dir.bundle(containerId), containerId }
    const perform = execSession(target, cmd, { clock, tty: wanted.tty })
    return this.#server.offer(remoteCommand(wanted, clock, perform))
  }

  attach({ containerId, ...wanted }: AttachRequest): string {
    const { dir, clock } = this.#options
    return this.#server.offer(remoteCommand(wanted, clock, attachSession(dir.bundle(containerId), clock)))
  }

  portForward(sandboxId: string): string {
    const { dir, clock } = this.#options
    const networkFile = dir.pod(sandboxId, 'net')
    const target = { sandboxId, ...(existsSync(networkFile) && { networkFile }) }
    return this.#server.offer(portForward(target, clock))
  }
}
