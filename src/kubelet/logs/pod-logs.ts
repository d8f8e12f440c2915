// Answers log requests from what the pod's worker and the log files know.

import type { LogOptions, PodReference } from '../../api/node-access.ts'
import { badRequest, notFound } from '../../api/status-error.ts'
import type { PodStatus } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { ContainerStatus, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { isCriNotFound } from '../../runtime/cri/cri-error.ts'
import type { PodWorker } from '../pod-worker/pod-worker.ts'
import { logSource } from './log-source.ts'
import { readLog } from './read-log.ts'

interface PodLogsParts {
  runtime: RuntimeService
  clock: Clock
  workerOf: (uid: string) => PodWorker | undefined
  /** Scheme of container ids. */
  runtimeName: () => string
}

export class PodLogs {
  readonly #parts: PodLogsParts

  constructor(parts: PodLogsParts) {
    this.#parts = parts
  }

  async read(
    pod: PodReference,
    options: LogOptions,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array>> {
    const { clock, workerOf } = this.#parts
    const worker = workerOf(pod.uid)
    if (!worker) throw notFound({ group: '', resource: 'pods' }, pod.name)
    const status: PodStatus = worker.currentStatus()
    const source = logSource(worker.pod, status, options.container, options.previous)
    const container = await this.#containerOf(source.containerId)
    const ended = source.ended ? Promise.resolve() : worker.containerEnded(source.containerId, signal)
    const file = { path: container.logPath, ended }
    return readLog(file, options, clock.now(), ms => clock.sleep(ms, signal), signal)
  }

  /** One that is over may have gone when the disk was full. Upstream: kuberuntime GetContainerLogs. */
  async #containerOf(containerId: string): Promise<ContainerStatus> {
    const { runtime, runtimeName } = this.#parts
    try {
      return (await runtime.containerStatus({ containerId, verbose: false })).status
    } catch (error) {
      if (!isCriNotFound(error)) throw error
      throw badRequest(`unable to retrieve container logs for ${runtimeName()}://${containerId}`)
    }
  }
}
