// What becomes of a volume. Pure. Upstream: syncVolume in pkg/controller/volume/persistentvolume/pv_controller.go.
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import { volumeMode } from './find-volume.ts'
import { BOUND_BY_CONTROLLER, hasAnnotation, PROVISIONED_BY } from './volume-facts.ts'

export type VolumeAction =
  | { do: 'nothing' }
  | { do: 'setPhase'; phase: 'Available' | 'Bound' | 'Released' }
  /** No plugin here can delete it. */
  | { do: 'fail'; message: string }
  /** Its claim is bound elsewhere: others may have it. */
  | { do: 'unbind' }
  /** It was reserved for a claim that wants the other mode: both are told. */
  | { do: 'mismatch'; onVolume: string; onClaim: string }
  /** The claim has still to be told. */
  | { do: 'enqueueClaim' }

/** `claim`: the one of the name in claimRef, if there is one now. */
export function decideVolume(
  volume: PersistentVolume,
  claim: PersistentVolumeClaim | undefined,
): VolumeAction {
  const { claimRef } = volume.spec
  if (!claimRef?.uid) return setPhase(volume, 'Available')
  if (!claim || claim.metadata.uid !== claimRef.uid) return release(volume)
  if (!claim.spec.volumeName)
    return volumeMode(volume) === volumeMode(claim) ? { do: 'enqueueClaim' } : modes(volume, claim)
  if (claim.spec.volumeName === volume.metadata.name) return setPhase(volume, 'Bound')
  if (isProvisioned(volume) && volume.spec.persistentVolumeReclaimPolicy === 'Delete') return release(volume)
  return hasAnnotation(volume, BOUND_BY_CONTROLLER) ? { do: 'unbind' } : setPhase(volume, 'Available')
}

/** Upstream: CheckVolumeModeMismatches in syncVolume. */
const modes = (volume: PersistentVolume, claim: PersistentVolumeClaim): VolumeAction => ({
  do: 'mismatch',
  onVolume: `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`,
  onClaim: `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim due to incompatible volumeMode.`,
})

const isProvisioned = (volume: PersistentVolume) => hasAnnotation(volume, PROVISIONED_BY)

function setPhase(volume: PersistentVolume, phase: 'Available' | 'Bound' | 'Released'): VolumeAction {
  return volume.status.phase === phase ? { do: 'nothing' } : { do: 'setPhase', phase }
}

/** What was provisioned goes by its provisioner's hand; nothing else can be deleted or recycled here. */
function release(volume: PersistentVolume): VolumeAction {
  const { phase } = volume.status
  if (phase !== 'Released' && phase !== 'Failed') return { do: 'setPhase', phase: 'Released' }
  const policy = volume.spec.persistentVolumeReclaimPolicy
  if (phase === 'Failed' || policy === 'Retain' || volume.metadata.deletionTimestamp) return { do: 'nothing' }
  if (policy === 'Recycle') return { do: 'fail', message: 'No recycler plugin found for the volume!' }
  if (isProvisioned(volume)) return { do: 'nothing' }
  const message = `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`
  return { do: 'fail', message }
}
