// Annotations and small facts of volumes and claims. Upstream: component-helpers storage/volume/pv_helpers.go.
import { Quantity } from '../../api/quantity.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'

export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
export const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner'
export const BETA_STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner'
export const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class'

type Annotated = { metadata: { annotations?: Record<string, string> } }

export const hasAnnotation = ({ metadata }: Annotated, name: string): boolean =>
  Object.hasOwn(metadata.annotations ?? {}, name)

/** undefined: the claim says nothing, and may get the default one. */
export const classOfClaim = ({ metadata, spec }: PersistentVolumeClaim): string | undefined =>
  metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName

export const classOfVolume = ({ metadata, spec }: PersistentVolume): string =>
  metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? ''

export const requestedStorage = ({ spec }: PersistentVolumeClaim): Quantity =>
  Quantity.parse(spec.resources?.requests?.storage ?? '0')

export const capacityOf = ({ spec }: PersistentVolume): Quantity =>
  Quantity.parse(spec.capacity?.storage ?? '0')

/** The volume's claimRef names the claim, and no other object of its name. Upstream: IsVolumeBoundToClaim. */
export function isBoundTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const { claimRef } = spec
  if (!claimRef || claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false
  return !claimRef.uid || claimRef.uid === metadata.uid
}
