// One container of the fake runtime: a status, and a program that moves it along the clock.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { ContainerConfig, ContainerStatus } from '../cri/cri.generated.ts'
import type { ContainerProgram } from './container-program.ts'

const SIGKILL_EXIT = 137
const CANNOT_START_EXIT = 128

export interface NewFakeContainer {
  id: string
  sandboxId: string
  config: ContainerConfig
  program: ContainerProgram
  imageId: string
  /** '' keeps no log. */
  logPath: string
  clock: Clock
  onEnd(container: FakeContainer): void
}

export class FakeContainer {
  readonly config: ContainerConfig
  readonly sandboxId: string
  readonly status: ContainerStatus
  readonly program: ContainerProgram
  readonly #clock: Clock
  readonly #onEnd: (container: FakeContainer) => void
  readonly #ended = new AbortController()

  constructor({ id, sandboxId, config, program, imageId, logPath, clock, onEnd }: NewFakeContainer) {
    this.config = config
    this.sandboxId = sandboxId
    this.program = program
    this.#clock = clock
    this.#onEnd = onEnd
    const resources = config.linux?.resources
    this.status = {
      id,
      metadata: config.metadata,
      state: 'CONTAINER_CREATED',
      createdAt: clock.now() * 1e6,
      startedAt: 0,
      finishedAt: 0,
      exitCode: 0,
      image: { image: config.image.userSpecifiedImage || config.image.image },
      imageRef: imageId,
      reason: '',
      message: '',
      labels: config.labels ?? {},
      annotations: config.annotations ?? {},
      mounts: config.mounts ?? [],
      logPath,
      imageId,
      stopSignal: stopSignalOf(config),
      ...(resources && { resources: { linux: resources } }),
    }
    if (logPath) {
      mkdirSync(dirname(logPath), { recursive: true })
      writeFileSync(logPath, '')
    }
  }

  get isRunning(): boolean {
    return this.status.state === 'CONTAINER_RUNNING'
  }

  /** The program begins; it never ends before the caller has had its answer. */
  start(): void {
    this.status.state = 'CONTAINER_RUNNING'
    this.status.startedAt = this.#clock.now() * 1e6
    setImmediate(() => this.#play().catch(() => {}))
  }

  failToStart(error: Error): void {
    this.status.message = error.message
    this.end(CANNOT_START_EXIT, 'StartError')
  }

  async #play(): Promise<void> {
    const { output = [], exitAfterMs, exitCode = 0, outOfMemory } = this.program
    const startedAt = this.#clock.now()
    const until = (atMs: number) =>
      this.#clock.sleep(startedAt + atMs - this.#clock.now(), this.#ended.signal)
    for (const { atMs, stream, text } of output) {
      if (exitAfterMs !== undefined && atMs > exitAfterMs) break
      await until(atMs)
      this.#write(stream, text)
    }
    if (exitAfterMs === undefined) return
    await until(exitAfterMs)
    this.end(exitCode, outOfMemory ? 'OOMKilled' : undefined)
  }

  #write(stream: string, text: string): void {
    if (!this.status.logPath || !this.isRunning) return
    const time = new Date(this.#clock.now()).toISOString().replace('Z', '000000Z')
    appendFileSync(this.status.logPath, `${time} ${stream} F ${text}\n`)
  }

  /** Does with the stop signal what the program says, and kills when `graceMs` have passed. */
  async stop(graceMs: number): Promise<void> {
    if (!this.isRunning) return
    const reaction = this.program.onStopSignal ?? {}
    const takesMs = reaction === 'ignore' ? Number.POSITIVE_INFINITY : (reaction.afterMs ?? 0)
    const waitsMs = Math.min(takesMs, graceMs)
    if (waitsMs > 0) await this.#clock.sleep(waitsMs, this.#ended.signal).catch(() => {})
    const obeyed = reaction !== 'ignore' && graceMs > 0 && takesMs <= graceMs
    this.end(obeyed ? (reaction.exitCode ?? 128 + signalNumber(this.status.stopSignal)) : SIGKILL_EXIT)
  }

  /** The process is gone, now. Once. */
  end(exitCode: number, reason = exitCode === 0 ? 'Completed' : 'Error'): void {
    const { status } = this
    if (status.state === 'CONTAINER_EXITED') return
    status.finishedAt = this.#clock.now() * 1e6
    if (status.startedAt === 0) status.startedAt = status.finishedAt
    Object.assign(status, { state: 'CONTAINER_EXITED', exitCode, reason })
    this.#ended.abort()
    this.#onEnd(this)
  }

  /** Only a log of a running container can be opened anew. */
  reopenLog(): void {
    if (this.status.logPath) appendFileSync(this.status.logPath, '')
  }
}

function stopSignalOf({ stopSignal }: ContainerConfig): ContainerStatus['stopSignal'] {
  return stopSignal && stopSignal !== 'RUNTIME_DEFAULT' ? stopSignal : 'SIGTERM'
}

const signalNumber = (name: string) =>
  (constants.signals as Record<string, number>)[name] ?? constants.signals.SIGTERM
