import type { Pod } from '../../api/types/core-v1.ts'

/** Names of the volumes that some container of the Pod mounts, or has as a device. Upstream: GetPodVolumeNames. */
export function volumeUses({ spec }: Pod): { mounted: Set<string>; devices: Set<string> } {
  const all = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  return {
    mounted: new Set(all.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name))),
    devices: new Set(all.flatMap(({ volumeDevices = [] }) => volumeDevices.map(({ name }) => name))),
  }
}
