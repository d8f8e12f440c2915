// Limits on local storage that a pod has exceeded by itself, whatever the node has left. Pure.
// Upstream: eviction_manager.go localStorageEviction.
import { parseAmounts, podLimits } from '../../api/pod/resources.ts'
import { Quantity } from '../../api/quantity.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { diskOf, type PodUsage, WHOLE } from './pod-usage.ts'

/** Whether the pod's storage has to be measured at all. */
export function hasStorageLimit({ spec }: Pod): boolean {
  return (
    (spec.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit && emptyDir.medium !== 'Memory') ||
    [...(spec.initContainers ?? []), ...spec.containers].some(
      ({ resources }) => resources?.limits?.['ephemeral-storage'] !== undefined,
    )
  )
}

/** The message of the first limit that is exceeded. On a disk of their own layers do not count for containers. */
export function exceededLimit(usage: PodUsage, ownImageDisk: boolean): string | undefined {
  return emptyDirMessage(usage) ?? podMessage(usage) ?? containerMessage(usage, ownImageDisk)
}

function emptyDirMessage({ pod, emptyDirs }: PodUsage): string | undefined {
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    if (!emptyDir?.sizeLimit || emptyDir.medium === 'Memory') continue
    const limit = Quantity.parse(emptyDir.sizeLimit)
    if (limit.sign > 0 && (emptyDirs[name]?.bytes ?? 0) > limit.value())
      return `Usage of EmptyDir volume "${name}" exceeds the limit "${limit.toString()}". `
  }
  return undefined
}

function podMessage(usage: PodUsage): string | undefined {
  const limit = podLimits(usage.pod).get('ephemeral-storage')
  if (!limit || diskOf(usage, WHOLE).bytes <= limit.value()) return undefined
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit.toString()}. `
}

/** Init containers have no say here, as upstream. */
function containerMessage({ pod, containers }: PodUsage, ownImageDisk: boolean): string | undefined {
  for (const { name, resources } of pod.spec.containers) {
    const limit = parseAmounts(resources?.limits).get('ephemeral-storage')
    const usage = containers.find(container => container.name === name)
    if (!limit || limit.isZero || !usage) continue
    const used = usage.logs.bytes + (ownImageDisk ? 0 : usage.rootfs.bytes)
    if (used > limit.value())
      return `Container ${name} exceeded its local ephemeral storage limit "${limit.toString()}". `
  }
  return undefined
}
