// The CRI's calls for figures, over RuntimeStats. Lists leave out what does not run.
import type * as cri from '../../cri/cri.generated.ts'
import { criNotFound } from '../../cri/cri-error.ts'
import { matchesContainer, matchesSandbox } from '../../cri/list-filters.ts'
import type { ContainerRecord } from '../containers/container-record.ts'
import type { ContainerStore } from '../containers/container-store.ts'
import { containerSummary } from '../containers/container-views.ts'
import { type SandboxStore, sandboxSummary } from '../sandbox/sandbox-store.ts'
import type { RuntimeStats } from './runtime-stats.ts'

type Service = Pick<
  cri.RuntimeService,
  'containerStats' | 'listContainerStats' | 'podSandboxStats' | 'listPodSandboxStats'
>

export class StatsService implements Service {
  readonly #containers: ContainerStore
  readonly #sandboxes: SandboxStore
  readonly #stats: RuntimeStats

  constructor(containers: ContainerStore, sandboxes: SandboxStore, stats: RuntimeStats) {
    this.#containers = containers
    this.#sandboxes = sandboxes
    this.#stats = stats
  }

  async containerStats({ containerId }: cri.ContainerStatsRequest): Promise<cri.ContainerStatsResponse> {
    const record = this.#containers.get(containerId)
    return { stats: await this.#stats.container(record, this.#sandboxes.get(record.sandboxId)) }
  }

  async listContainerStats({
    filter,
  }: cri.ListContainerStatsRequest): Promise<cri.ListContainerStatsResponse> {
    const chosen = this.#running().filter(record => matchesContainer(filter, containerSummary(record)))
    return { stats: await Promise.all(chosen.map(record => this.#statsOf(record))) }
  }

  async podSandboxStats({ podSandboxId }: cri.PodSandboxStatsRequest): Promise<cri.PodSandboxStatsResponse> {
    const sandbox = this.#sandboxes.get(podSandboxId)
    return { stats: await this.#stats.sandbox(sandbox, this.#running(podSandboxId)) }
  }

  async listPodSandboxStats({
    filter,
  }: cri.ListPodSandboxStatsRequest): Promise<cri.ListPodSandboxStatsResponse> {
    const chosen = this.#sandboxes
      .list()
      .filter(sandbox => sandbox.ready && matchesSandbox(filter, sandboxSummary(sandbox)))
    const stats = chosen.map(sandbox => this.#stats.sandbox(sandbox, this.#running(sandbox.id)))
    return { stats: await Promise.all(stats) }
  }

  #running(sandboxId?: string): ContainerRecord[] {
    return this.#containers
      .list()
      .filter(({ state }) => state === 'CONTAINER_RUNNING')
      .filter(record => sandboxId === undefined || record.sandboxId === sandboxId)
  }

  #statsOf(record: ContainerRecord): Promise<cri.ContainerStats> {
    const sandbox = this.#sandboxes.find(record.sandboxId)
    if (!sandbox) throw criNotFound('sandbox', record.sandboxId)
    return this.#stats.container(record, sandbox)
  }
}
