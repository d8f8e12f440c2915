// The fake runtime's calls for figures. Nobody works here: no time of any processor, a megabyte each.
import type { Clock } from '../../base/clock.ts'
import type * as cri from '../cri/cri.generated.ts'
import { criNotFound } from '../cri/cri-error.ts'
import { matchesContainer } from '../cri/list-filters.ts'
import type { FakeContainer } from './fake-container.ts'

type Figures = Pick<cri.RuntimeService, 'containerStats' | 'listContainerStats'>

export class FakeFigures implements Figures {
  readonly #containers: ReadonlyMap<string, FakeContainer>
  readonly #clock: Clock

  constructor(containers: ReadonlyMap<string, FakeContainer>, clock: Clock) {
    this.#containers = containers
    this.#clock = clock
  }

  async containerStats({ containerId }: cri.ContainerStatsRequest): Promise<cri.ContainerStatsResponse> {
    const found = this.#containers.get(containerId)
    if (!found) throw criNotFound('container', containerId)
    return { stats: this.#statsOf(found) }
  }

  async listContainerStats({
    filter,
  }: cri.ListContainerStatsRequest): Promise<cri.ListContainerStatsResponse> {
    const running = [...this.#containers.values()].filter(one => one.isRunning)
    const chosen = running.filter(({ status, sandboxId }) =>
      matchesContainer(filter, { ...status, podSandboxId: sandboxId }),
    )
    return { stats: chosen.map(one => this.#statsOf(one)) }
  }

  #statsOf({ status }: FakeContainer): cri.ContainerStats {
    const timestamp = this.#clock.now() * 1e6
    const { id, metadata, labels, annotations } = status
    return {
      attributes: { id, metadata, labels, annotations },
      cpu: { timestamp, usageCoreNanoSeconds: { value: 0 } },
      memory: { timestamp, workingSetBytes: { value: 2 ** 20 }, usageBytes: { value: 2 ** 20 } },
    }
  }
}
