// Keeps the logs of running containers from filling the disk: a log beyond its size gets another name, and the runtime
// opens a new one. Upstream: pkg/kubelet/logs/container_log_manager.go.
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { planRotation, rotatedName } from './plan-rotation.ts'

export interface LogLimits {
  /** A log is rotated when it is longer. Negative: never. */
  maxBytes: number
  /** Of one container, the log itself included; at least 2. */
  maxFiles: number
  everyMs: number
}

export const defaultLogLimits: LogLimits = { maxBytes: 10 * 2 ** 20, maxFiles: 5, everyMs: 10_000 }

export interface LoggingContainer {
  id: string
  /** Absolute; '' for a container without a log. */
  logPath: string
}

export interface LogRotationParts {
  runtime: Pick<RuntimeService, 'reopenContainerLog'>
  limits: LogLimits
  /** Containers that run now. */
  containers: () => Iterable<LoggingContainer>
  clock: Clock
  log: Log
}

export class LogRotation {
  readonly #parts: LogRotationParts

  constructor(parts: LogRotationParts) {
    this.#parts = parts
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, limits } = this.#parts
    if (limits.maxBytes < 0) return
    while (!signal.aborted) {
      await clock.sleep(limits.everyMs, signal).catch(() => {})
      if (!signal.aborted) await this.look()
    }
  }

  /** One look at all logs; what fails is tried again with the next. */
  async look(): Promise<void> {
    const { containers, limits, log } = this.#parts
    for (const container of containers()) {
      if (!container.logPath) continue
      const { size = 0 } = (await stat(container.logPath).catch(() => undefined)) ?? {}
      if (size <= limits.maxBytes) continue
      await this.#rotate(container).catch(error =>
        log.warn({ error, path: container.logPath }, 'a log could not be rotated; trying again'),
      )
    }
  }

  async #rotate({ id, logPath }: LoggingContainer): Promise<void> {
    const { limits, clock, runtime } = this.#parts
    const [folder, name] = [dirname(logPath), basename(logPath)]
    const { remove, compress } = planRotation(name, await readdir(folder), limits.maxFiles)
    for (const file of remove) await rm(join(folder, file), { force: true })
    for (const file of compress) await pack(join(folder, file))
    const rotated = join(folder, rotatedName(name, clock.now()))
    await rename(logPath, rotated)
    try {
      await runtime.reopenContainerLog({ containerId: id })
    } catch (error) {
      // The runtime still writes to the old file: it must be found under its name again.
      await rename(rotated, logPath)
      throw error
    }
  }
}

async function pack(file: string): Promise<void> {
  await pipeline(createReadStream(file), createGzip(), createWriteStream(`${file}.tmp`, { mode: 0o640 }))
  await rename(`${file}.tmp`, `${file}.gz`)
  await rm(file, { force: true })
}
