// A claim's volume: a path of the node, or a directory made for it. Set-up waits until the claim is bound.
import { chmod, lchown, lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { persistentVolumeClaims, persistentVolumes } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../api/types/core-v1.ts'
import { hostPath } from './host-path.ts'
import type { ReadyVolume, VolumeContext, VolumeParts, VolumePlugin } from './volume-plugin.ts'

/** Upstream: getPVCExtractPV and getPVSpec in desired_state_of_world_populator.go. */
export const persistentVolumeClaim: VolumePlugin = {
  name: 'persistent-volume-claim',
  async setUp(context, parts) {
    const claim = await boundClaim(context.pod, claimNameOf(context), parts)
    const volume = await volumeOf(claim, parts)
    const ready = await setUpVolume(volume, context, parts)
    return context.volume.persistentVolumeClaim?.readOnly ? { ...ready, readOnly: true } : ready
  },
}

function claimNameOf({ pod, volume }: VolumeContext): string {
  return volume.persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume.name}`
}

async function boundClaim(pod: Pod, name: string, { client }: VolumeParts): Promise<PersistentVolumeClaim> {
  const namespace = pod.metadata.namespace!
  const claim = await client.get(persistentVolumeClaims, { namespace, name }).catch((error: Error) => {
    throw new Error(
      `error processing PVC ${namespace}/${name}: failed to fetch PVC from API server: ${error.message}`,
    )
  })
  const failed = (why: string) => new Error(`error processing PVC ${namespace}/${name}: ${why}`)
  if (claim.metadata.deletionTimestamp) throw failed("can't start pod because PVC is being deleted")
  if (claim.status.phase !== 'Bound' || !claim.spec.volumeName) throw failed('PVC is not bound')
  return claim
}

async function volumeOf(
  { metadata, spec }: PersistentVolumeClaim,
  { client }: VolumeParts,
): Promise<PersistentVolume> {
  const name = spec.volumeName!
  const volume = await client.get(persistentVolumes, { name }).catch((error: Error) => {
    throw isNotFound(error)
      ? new Error(`failed to fetch PV "${name}" from API server: ${error.message}`)
      : error
  })
  if (volume.spec.claimRef?.uid === metadata.uid) return volume
  throw new Error(
    `found PV object "${name}" with an unexpected claimRef UID; expected "${metadata.uid}" but found "${volume.spec.claimRef?.uid ?? ''}"`,
  )
}

async function setUpVolume(
  { spec }: PersistentVolume,
  context: VolumeContext,
  parts: VolumeParts,
): Promise<ReadyVolume> {
  if (spec.volumeMode === 'Block') throw new Error('volumes of mode Block are not supported on this node')
  if (spec.hostPath) {
    const volume: Volume = { name: context.volume.name, hostPath: spec.hostPath }
    return hostPath.setUp({ ...context, volume }, parts)
  }
  if (spec.local) return setUpLocal(spec.local.path, context.pod)
  throw new Error('persistent volumes of this type are not supported on this node')
}

/** Upstream: pkg/volume/local. */
async function setUpLocal(path: string, { spec }: Pod): Promise<ReadyVolume> {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new Error(`path "${path}" does not exist`)
  const { fsGroup, fsGroupChangePolicy } = spec.securityContext ?? {}
  const isOwned = found.gid === fsGroup && (found.mode & 0o2000) !== 0
  if (fsGroup !== undefined && !(fsGroupChangePolicy === 'OnRootMismatch' && isOwned))
    await giveTo(path, fsGroup)
  return { hostPath: path }
}

/** To the Pod's group, with rights for it, at every depth. Upstream: SetVolumeOwnership. */
async function giveTo(path: string, group: number): Promise<void> {
  const found = await lstat(path)
  await lchown(path, found.uid, group)
  if (found.isSymbolicLink()) return
  if (!found.isDirectory()) {
    await chmod(path, (found.mode & 0o7777) | 0o660)
    return
  }
  for (const name of await readdir(path)) await giveTo(join(path, name), group)
  await chmod(path, (found.mode & 0o7777) | 0o2770)
}
