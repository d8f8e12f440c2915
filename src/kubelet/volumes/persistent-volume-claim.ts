// A claim's volume: a path or device of the node, a CSI driver's, or one made for the claim. Set-up waits until the
// claim is bound.
import { persistentVolumeClaims, persistentVolumes } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { PersistentVolume, PersistentVolumeClaim, Volume } from '../../api/types/core-v1.ts'
import { mapBlockVolume } from './block-volume.ts'
import { persistentCsiVolume } from './csi/csi-volume.ts'
import { expandClaim } from './expand-claim.ts'
import { hostPath } from './host-path.ts'
import { setUpLocalVolume } from './local-volume.ts'
import { VolumeFailure } from './volume-failure.ts'
import type { ReadyVolume, VolumeContext, VolumeParts, VolumePlugin } from './volume-plugin.ts'
import { volumeUses } from './volume-uses.ts'

/** A node may not watch claims: as upstream it asks once in a while whether one has grown. */
const LOOK_AGAIN_MS = 60_000

/** Upstream: getPVCExtractPV and getPVSpec in desired_state_of_world_populator.go. */
export const persistentVolumeClaim: VolumePlugin = {
  name: 'persistent-volume-claim',
  async setUp(context, parts) {
    const { claim, volume } = await boundVolume(context, parts)
    const ready = await setUpVolume(volume, context, parts)
    if (isReadOnly(context)) return { ...ready, readOnly: true }
    await expandClaim(claim, volume, context.pod, parts)
    return { ...ready, refreshAt: context.now + LOOK_AGAIN_MS }
  },
  async refresh(ready, context, parts) {
    const { pod, now } = context
    const claim = await claimOf(context, parts)
    const volume = await volumeOf(claim, parts)
    if (volume.spec.csi) await parts.csi.renew(pod, persistentCsiVolume(volume, isReadOnly(context)), now)
    if (!isReadOnly(context)) await expandClaim(claim, volume, pod, parts)
    return { ...ready, refreshAt: now + LOOK_AGAIN_MS }
  },
}

const isReadOnly = ({ volume }: VolumeContext): boolean => volume.persistentVolumeClaim?.readOnly ?? false

async function boundVolume(context: VolumeContext, parts: VolumeParts) {
  try {
    const claim = await boundClaim(context, parts)
    const volume = await volumeOf(claim, parts)
    checkMode(volume, context)
    return { claim, volume }
  } catch (error) {
    throw unprocessed(context.volume.name, error)
  }
}

function claimNameOf({ pod, volume }: VolumeContext): string {
  return volume.persistentVolumeClaim?.claimName ?? `${pod.metadata.name}-${volume.name}`
}

function claimOf(context: VolumeContext, { client }: VolumeParts): Promise<PersistentVolumeClaim> {
  const namespace = context.pod.metadata.namespace!
  return client.get(persistentVolumeClaims, { namespace, name: claimNameOf(context) })
}

async function boundClaim(context: VolumeContext, parts: VolumeParts): Promise<PersistentVolumeClaim> {
  const failed = (why: string) =>
    new Error(`error processing PVC ${context.pod.metadata.namespace}/${claimNameOf(context)}: ${why}`)
  const claim = await claimOf(context, parts).catch((error: Error) => {
    throw failed(`failed to fetch PVC from API server: ${error.message}`)
  })
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

/** A container that mounts it needs a file system, one that names it among its devices a device. */
function checkMode({ spec }: PersistentVolume, { pod, volume: { name } }: VolumeContext): void {
  const mode = spec.volumeMode ?? 'Filesystem'
  const { mounted, devices } = volumeUses(pod)
  if (mounted.has(name) && mode !== 'Filesystem')
    throw new Error(`volume ${name} has volumeMode ${mode}, but is specified in volumeMounts`)
  if (devices.has(name) && mode !== 'Block')
    throw new Error(`volume ${name} has volumeMode ${mode}, but is specified in volumeDevices`)
}

/** Upstream tells these by the volume's name in the Pod, after it waited for all volumes. */
function unprocessed(name: string, error: unknown): VolumeFailure {
  const text = `Unable to attach or mount volumes: unmounted volumes=[${name}], unattached volumes=[], failed to process volumes=[${name}]: ${(error as Error).message}`
  return new VolumeFailure('FailedMount', text)
}

async function setUpVolume(
  volume: PersistentVolume,
  context: VolumeContext,
  parts: VolumeParts,
): Promise<ReadyVolume> {
  const { spec, metadata } = volume
  if (spec.csi)
    return parts.csi.setUp(context.pod, persistentCsiVolume(volume, isReadOnly(context)), context.now)
  if (spec.volumeMode === 'Block') return mapBlockVolume(volume, context.pod, parts)
  try {
    if (spec.hostPath) {
      const asInPod: Volume = { name: context.volume.name, hostPath: spec.hostPath }
      return await hostPath.setUp({ ...context, volume: asInPod }, parts)
    }
    if (spec.local) return await setUpLocalVolume(volume, context.pod, parts)
  } catch (error) {
    if (error instanceof VolumeFailure) throw error
    const text = `MountVolume.SetUp failed for volume "${metadata.name}" : ${(error as Error).message}`
    throw new VolumeFailure('FailedMount', text)
  }
  throw new Error('persistent volumes of this type are not supported on this node')
}
