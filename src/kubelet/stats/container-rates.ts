// Adds the present use of processors to figures of runtimes that only tell the total (containerd before 1.7).
// Upstream: cri_stats_provider.go getAndUpdateContainerUsageNanoCores.
import type { Pod } from '../../api/types/core-v1.ts'
import type { ContainerStats } from '../../runtime/cri/cri.generated.ts'
import { type CpuSample, cpuRate } from '../../runtime/native/stats/cpu-rate.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'

export class ContainerRates {
  #samples = new Map<string, CpuSample[]>()

  /** What is not among these containers is forgotten. */
  complete(all: readonly ContainerStats[], pods: readonly Pod[]): ContainerStats[] {
    const kept = new Map<string, CpuSample[]>()
    const completed = all.map(stats => {
      const { cpu, attributes } = stats
      const total = cpu?.usageCoreNanoSeconds?.value
      if (!cpu || cpu.usageNanoCores || total === undefined) return stats
      const now = { at: cpu.timestamp, total }
      const { samples, rate } = cpuRate(this.#samples.get(attributes.id) ?? [], now, startOf(stats, pods))
      kept.set(attributes.id, samples)
      return rate === undefined ? stats : { ...stats, cpu: { ...cpu, usageNanoCores: { value: rate } } }
    })
    this.#samples = kept
    return completed
  }
}

/** Nanoseconds; 0 when it is not known. */
function startOf({ attributes }: ContainerStats, pods: readonly Pod[]): number {
  const pod = pods.find(({ metadata }) => metadata.uid === attributes.labels[LABEL.podUid])
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {}
  const name = attributes.labels[LABEL.containerName]
  const status = [...initContainerStatuses, ...containerStatuses].find(one => one.name === name)
  const startedAt = status?.state?.running?.startedAt
  return startedAt ? Date.parse(startedAt) * 1e6 : 0
}
