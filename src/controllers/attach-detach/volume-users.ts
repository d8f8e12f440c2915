// Who needs a volume at which node. Pure. Upstream: determineVolumeAction in pkg/controller/volume/attachdetach/util,
// CreateVolumeSpec.
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import { isTerminal } from '../pod-control/pod-state.ts'

/** On a Node: volumes of Pods that are over stay attached. */
const KEEP_TERMINATED = 'volumes.kubernetes.io/keep-terminated-pod-volumes'

/** Node → Pods there that need the volume. */
export type VolumeUsers = ReadonlyMap<string, readonly Pod[]>

/** `pods`: those that name the claim. */
export function volumeUsers(
  pods: readonly Pod[],
  findNode: (name: string) => Pick<Node, 'metadata'> | undefined,
): VolumeUsers {
  const users = new Map<string, Pod[]>()
  for (const pod of pods) {
    const { nodeName } = pod.spec
    const node = nodeName ? findNode(nodeName) : undefined
    if (!nodeName || !node) continue
    if (isOver(pod) && node.metadata.annotations?.[KEEP_TERMINATED] !== 'true') continue
    users.set(nodeName, [...(users.get(nodeName) ?? []), pod])
  }
  return users
}

/** Nothing of it runs, and nothing will. Upstream: IsPodTerminated. */
function isOver(pod: Pod): boolean {
  if (isTerminal(pod)) return true
  const { containerStatuses = [] } = pod.status
  return (
    pod.metadata.deletionTimestamp !== undefined &&
    containerStatuses.every(({ state }) => state?.terminated || state?.waiting)
  )
}

/** The claim and the volume name each other. */
export const areBound = (claim: PersistentVolumeClaim, volume: PersistentVolume): boolean =>
  claim.status.phase === 'Bound' &&
  claim.spec.volumeName === volume.metadata.name &&
  volume.spec.claimRef?.uid === claim.metadata.uid
