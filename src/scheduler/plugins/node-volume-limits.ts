import type { Pod } from '../../api/types/core-v1.ts'
import { type Plugin, unschedulable } from '../framework.ts'
import { claimNamesOf, isOwnClaim } from '../volumes/pod-claims.ts'
import type { VolumeObjects } from '../volumes/volume-objects.ts'

interface Wanted {
  /** Volume → driver. */
  volumes: ReadonlyMap<string, string>
  objects: VolumeObjects
}

/** A CSI driver attaches only so many volumes to a node. Upstream: nodevolumelimits/csi.go. */
export const nodeVolumeLimits: Plugin<Wanted> = {
  name: 'NodeVolumeLimits',
  prepare(pod, { objects }) {
    const volumes = attachedBy(pod, objects.volumes)
    return volumes.size > 0 ? { state: { volumes, objects: objects.volumes } } : { skip: true }
  },
  filter(_pod, { name, pods }, { volumes, objects }) {
    const limits = limitsOf(name, objects)
    if (limits.size === 0) return undefined
    const used = [...pods.values()].flatMap(other => [...attachedBy(other, objects)])
    const there = new Map([...used, ...stillAttached(name, objects)])
    const all = new Map([...there, ...volumes])
    for (const driver of new Set(volumes.values())) {
      const isNew = [...volumes].some(([volume, of]) => of === driver && !there.has(volume))
      const count = [...all.values()].filter(of => of === driver).length
      if (isNew && count > (limits.get(driver) ?? Number.POSITIVE_INFINITY))
        return unschedulable('node(s) exceed max volume count')
    }
    return undefined
  },
  mayHelp(event, pod) {
    if (event.what === 'assignedPodGone') return claimNamesOf(event.pod).length > 0
    if (isOwnClaim(event, pod)) return true
    return ['csiNodeChanged', 'storageRoomChanged', 'nodeAdded', 'volumesChanged'].includes(event.what)
  },
}

function limitsOf(node: string, objects: VolumeObjects): Map<string, number> {
  const drivers = objects.csiNode(node)?.spec.drivers ?? []
  return new Map(
    drivers.flatMap(({ name, allocatable }) =>
      allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
    ),
  )
}

/** What is attached takes its place also when no Pod needs it any more, or does not show yet that it does. */
const stillAttached = (node: string, objects: VolumeObjects): [string, string][] =>
  objects.attachmentsAt(node).flatMap(({ spec }): [string, string][] => {
    const csi = objects.volume(spec.source.persistentVolumeName ?? '')?.spec.csi
    return csi ? [[`${csi.driver}/${csi.volumeHandle}`, csi.driver]] : []
  })

/** A claim without a volume yet counts for the driver that will make it. */
function attachedBy({ metadata, ...pod }: Pod, objects: VolumeObjects): Map<string, string> {
  const namespace = metadata.namespace ?? ''
  const found = new Map<string, string>()
  for (const { name } of claimNamesOf({ metadata, ...pod })) {
    const claim = objects.claim(namespace, name)
    if (!claim) continue
    const csi = objects.volume(claim.spec.volumeName ?? '')?.spec.csi
    if (csi) found.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver)
    else if (!claim.spec.volumeName) {
      const driver = objects.storageClass(claim.spec.storageClassName ?? '')?.provisioner
      if (driver) found.set(`${driver}/${namespace}/${name}`, driver)
    }
  }
  return found
}
