import type { Pod, Volume } from '../../api/types/core-v1.ts'
import { type Plugin, unresolvable, unschedulable } from '../framework.ts'
import type { NodeInfo } from '../state/node-info.ts'
import { claimNamesOf, isOwnClaim } from '../volumes/pod-claims.ts'

interface Uses {
  disks: readonly Volume[]
  /** Claims that one Pod of the whole cluster may use: 'namespace/name'. */
  exclusive: ReadonlySet<string>
  /** How often others use those. */
  conflicts: number
}

const IN_USE = 'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'

/** A disk that one node, or a claim that one Pod may use, is not shared. Upstream: volumerestrictions. */
export const volumeRestrictions: Plugin<Uses> = {
  name: 'VolumeRestrictions',
  prepare(pod, { nodes, objects: { volumes } }) {
    const namespace = pod.metadata.namespace ?? ''
    for (const { name, ephemeral } of claimNamesOf(pod))
      if (!ephemeral && !volumes.claim(namespace, name))
        return { rejection: unresolvable(`persistentvolumeclaim "${name}" not found`) }
    const disks = (pod.spec.volumes ?? []).filter(isDisk)
    const exclusive = new Set(
      claimNamesOf(pod)
        .filter(({ name }) => volumes.claim(namespace, name)?.spec.accessModes?.includes('ReadWriteOncePod'))
        .map(({ name }) => `${namespace}/${name}`),
    )
    if (disks.length === 0 && exclusive.size === 0) return { skip: true }
    const others = exclusive.size > 0 ? nodes.flatMap(({ pods }) => [...pods.values()]) : []
    const conflicts = others.reduce((sum, other) => sum + usesOf(other, exclusive), 0)
    return { state: { disks, exclusive, conflicts } }
  },
  filter(_pod, node, { disks, conflicts }) {
    if (disks.some(disk => isTaken(disk, node))) return unschedulable('node(s) had no available disk')
    return conflicts > 0 ? unschedulable(IN_USE) : undefined
  },
  copy: uses => ({ ...uses }),
  change(uses, _pod, other, _node, by) {
    uses.conflicts += by * usesOf(other, uses.exclusive)
  },
  mayHelp(event, pod) {
    if (event.what === 'assignedPodGone') {
      const own = new Set(claimNamesOf(pod).map(({ name }) => `${pod.metadata.namespace}/${name}`))
      return (event.pod.spec.volumes ?? []).some(isDisk) || usesOf(event.pod, own) > 0
    }
    return event.what === 'nodeAdded' || isOwnClaim(event, pod) || event.what === 'nominationOver'
  },
}

const usesOf = (pod: Pod, claims: ReadonlySet<string>) =>
  claimNamesOf(pod).filter(({ name }) => claims.has(`${pod.metadata.namespace}/${name}`)).length

const isDisk = ({ gcePersistentDisk, awsElasticBlockStore, rbd, iscsi }: Volume) =>
  !!(gcePersistentDisk ?? awsElasticBlockStore ?? rbd ?? iscsi)

const isTaken = (disk: Volume, { pods }: NodeInfo) =>
  [...pods.values()].some(({ spec }) => (spec.volumes ?? []).some(other => clash(disk, other)))

/** Readers may share where the system behind the disk lets them. Upstream: isVolumeConflict. */
function clash(a: Volume, b: Volume): boolean {
  if (a.gcePersistentDisk && b.gcePersistentDisk) {
    const [one, other] = [a.gcePersistentDisk, b.gcePersistentDisk]
    return one.pdName === other.pdName && !(one.readOnly && other.readOnly)
  }
  if (a.awsElasticBlockStore && b.awsElasticBlockStore)
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && !(a.iscsi.readOnly && b.iscsi.readOnly)
  if (!a.rbd || !b.rbd) return false
  const sharesMonitor = a.rbd.monitors.some(monitor => b.rbd!.monitors.includes(monitor))
  const [poolA, poolB] = [a.rbd.pool ?? 'rbd', b.rbd.pool ?? 'rbd']
  const isSame = sharesMonitor && poolA === poolB && a.rbd.image === b.rbd.image
  return isSame && !(a.rbd.readOnly && b.rbd.readOnly)
}
