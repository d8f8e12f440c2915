import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs'
import { Quantity } from '../../api/quantity.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { podCgroupLimits } from '../cgroups/pod-cgroup-limits.ts'
import type { NodeFacts } from '../node-facts.ts'
import { volumePath } from '../pod-paths.ts'
import { isMounted } from './is-mounted.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** A directory that lives as long as the pod; on tmpfs with medium Memory. Limits of disk-backed ones are not enforced by mounts. */
export const emptyDir: VolumePlugin = {
  name: 'empty-dir',
  async setUp({ pod, volume }, { facts, mounter }) {
    const hostPath = volumePath(facts, pod.metadata.uid, 'empty-dir', volume.name)
    const existed = existsSync(hostPath)
    mkdirSync(hostPath, { recursive: true, mode: 0o777 })
    const { medium = '', sizeLimit } = volume.emptyDir ?? {}
    const isMemory = medium !== ''
    if (isMemory ? isMounted(hostPath) : existed) return { hostPath }
    if (medium.startsWith('HugePages'))
      mounter.hugetlbfs(hostPath, `mode=0777,pagesize=${pageSize(pod, medium)}`)
    else if (isMemory) mounter.tmpfs(hostPath, `mode=1777,size=${memorySize(pod, sizeLimit, facts)}`)
    const group = pod.spec.securityContext?.fsGroup
    if (group !== undefined) chownSync(hostPath, 0, group)
    // The set-group-id bit makes new files belong to the pod's group; tmpfs has the sticky bit, as /tmp has it.
    chmodSync(hostPath, (group === undefined ? 0o777 : 0o2777) | (medium === 'Memory' ? 0o1000 : 0))
    return { hostPath }
  },
}

/** Never more than the pod, or all pods together, may use. Upstream: calculateEmptyDirMemorySize. */
function memorySize(
  pod: Pod,
  sizeLimit: string | undefined,
  { allocatable }: Pick<NodeFacts, 'allocatable'>,
): number {
  const bounds = [
    Quantity.parse(allocatable.memory ?? '0').value(),
    podCgroupLimits(pod).memoryBytes ?? 0,
    sizeLimit ? Quantity.parse(sizeLimit).value() : 0,
  ]
  return Math.min(...bounds.filter(bytes => bytes > 0))
}

/** 'HugePages-2Mi' names the size; 'HugePages' means the one that the pod asks for. */
function pageSize({ spec }: Pod, medium: string): string {
  const named = medium.slice('HugePages-'.length)
  const asked = [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ resources }) =>
    Object.keys({ ...resources?.requests, ...resources?.limits }).filter(name =>
      name.startsWith('hugepages-'),
    ),
  )
  const sizes = named ? [named] : [...new Set(asked.map(name => name.slice('hugepages-'.length)))]
  if (sizes.length !== 1)
    throw new Error('medium HugePages needs a pod that asks for huge pages of exactly one size')
  return sizes[0]!.replace(/i$/, '')
}
