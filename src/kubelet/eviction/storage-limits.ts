// Limits on local storage that a pod has exceeded by itself, whatever the node has left. Pure.
// Upstream: eviction_manager.go localStorageEviction.
import { parseAmounts, podLimits } from '../../api/pod/resources.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { diskOf, type PodUsage } from './pod-usage.ts'

/** Whether the pod's storage has to be measured at all. */
export function hasStorageLimit({ spec }: Pod): boolean {
  return (
    (spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit && emptyDir.medium !== 'Memory') ||
    [...(spec.initContainers ?? []), ...spec.containers].some(
      ({ resources }) => resources?.limits?.['ephemeral-storage'] !== undefined,
    )
  )
}

/** The message of the first limit that is exceeded. */
export function exceededLimit(usage: PodUsage): string | undefined {
  return emptyDirMessage(usage) ?? podMessage(usage) ?? containerMessage(usage)
}

function emptyDirMessage({ pod, emptyDirs }: PodUsage): string | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    if (!emptyDir?.sizeLimit || emptyDir.medium === 'Memory') continue
    const limit = Quantity.parse(emptyDir.sizeLimit)
    if (limit.sign > 0 && (emptyDirs[name] ?? 0) > limit.value())
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit.toString()}". `
  }
  return undefined
}

function podMessage(usage: PodUsage): string | undefined {
  const limit = podLimits(usage.pod).get('ephemeral-storage')
  if (!limit || diskOf(usage) <= limit.value()) return undefined
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit.toString()}. `
}

function containerMessage({ pod, containers }: PodUsage): string | undefined {
  for (const { name, resources } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    const limit = parseAmounts(resources?.limits).get('ephemeral-storage')
    const usage = containers.find(container => container.name === name)
    if (limit && usage && usage.rootfs + usage.logs > limit.value())
      return `Container ${name} exceeded its local ephemeral storage limit "${limit.toString()}". `
  }
  return undefined
}
