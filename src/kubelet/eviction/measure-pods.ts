// What pods use of the node: the runtime's figures of their containers, and what they keep on disk.
import { join } from 'node:path'
import type { Pod } from '../../api/types/core-v1.ts'
import { diskFigures } from '../../base/disk-usage.ts'
import type { ContainerStats, PodSandboxStats, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import type { NodeFacts } from '../node-facts.ts'
import { podLogDir, volumePath } from '../pod-paths.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import type { PodUsage } from './pod-usage.ts'

export interface MeasureParts {
  runtime: Pick<RuntimeService, 'listContainerStats' | 'listPodSandboxStats'>
  facts: Pick<NodeFacts, 'rootDir' | 'logDir'>
}

export async function measurePods(pods: readonly Pod[], parts: MeasureParts): Promise<PodUsage[]> {
  const { runtime } = parts
  const [{ stats }, sandboxes] = await Promise.all([
    runtime.listContainerStats({}),
    // Older runtimes measure no sandboxes.
    runtime.listPodSandboxStats({}).then(
      answer => answer.stats,
      () => [],
    ),
  ])
  const byPod = Map.groupBy(stats, ({ attributes }) => attributes.labels[LABEL.podUid] ?? '')
  const processes = new Map(sandboxes.map(sandbox => [sandbox.attributes.metadata.uid, processesOf(sandbox)]))
  return Promise.all(
    pods.map(async pod => {
      const { uid } = pod.metadata
      return usageOf(pod, byPod.get(uid) ?? [], processes.get(uid) ?? 0, parts.facts)
    }),
  )
}

const processesOf = ({ linux }: PodSandboxStats): number => linux?.process?.processCount?.value ?? 0

async function usageOf(
  pod: Pod,
  stats: readonly ContainerStats[],
  processes: number,
  facts: MeasureParts['facts'],
): Promise<PodUsage> {
  const containers = stats.map(async ({ attributes, memory, writableLayer }) => {
    const name = attributes.labels[LABEL.containerName] ?? attributes.metadata.name
    return {
      name,
      memory: memory?.workingSetBytes?.value ?? 0,
      rootfs: {
        bytes: writableLayer?.usedBytes?.value ?? 0,
        inodes: writableLayer?.inodesUsed?.value ?? 0,
      },
      logs: await diskFigures(join(podLogDir(facts, pod), name)),
    }
  })
  const emptyDirs = (pod.spec.volumes ?? [])
    .filter(({ emptyDir }) => emptyDir && emptyDir.medium !== 'Memory')
    .map(async ({ name }) => {
      return [name, await diskFigures(volumePath(facts, pod.metadata.uid, 'empty-dir', name))] as const
    })
  return {
    pod,
    priority: pod.spec.priority ?? 0,
    containers: await Promise.all(containers),
    emptyDirs: Object.fromEntries(await Promise.all(emptyDirs)),
    processes,
  }
}
