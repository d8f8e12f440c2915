import type { Pod } from '../../api/types/core-v1.ts'

/** What the Pod's containers do with its volumes, by the volumes' names. Upstream: GetPodVolumeNames. */
export interface VolumeUses {
  mounted: Set<string>
  devices: Set<string>
  /** Files in it become environment variables. */
  read: Set<string>
}

export function volumeUses({ spec }: Pod): VolumeUses {
  const all = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  const files = all.flatMap(({ env = [] }) => env.map(({ valueFrom }) => valueFrom?.fileKeyRef?.volumeName))
  return {
    mounted: new Set(all.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name))),
    devices: new Set(all.flatMap(({ volumeDevices = [] }) => volumeDevices.map(({ name }) => name))),
    read: new Set(files.filter(name => name !== undefined)),
  }
}
