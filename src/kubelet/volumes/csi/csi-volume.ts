// A volume as a CSI driver is told of it: a PersistentVolume's, or one that a Pod has for itself. Pure.
// Upstream: pkg/volume/csi NewMounter, NodePublishVolume, asCSIAccessModeV1.

import type { PersistentVolume, Pod, SecretReference, Volume } from '../../../api/types/core-v1.ts'
import type { CSIDriver } from '../../../api/types/storage-v1.ts'
import { sha256 } from '../../../api/volume/csi-names.ts'
import type { AccessMode, NodeRpc, Texts, VolumeCapability } from './csi-api.ts'

export interface CsiVolume {
  /** The PersistentVolume's name, or the volume's in the Pod. */
  name: string
  driver: string
  handle: string
  lifecycle: 'Persistent' | 'Ephemeral'
  fsType: string
  attributes: Texts
  accessModes: readonly string[]
  mountFlags: readonly string[]
  readOnly: boolean
  isBlock: boolean
  secrets: { stage?: SecretReference; publish?: SecretReference; expand?: SecretReference }
}

/** `readOnly` as the Pod has it. The volume must be a CSI driver's. */
export function persistentCsiVolume({ metadata, spec }: PersistentVolume, readOnly: boolean): CsiVolume {
  const csi = spec.csi!
  return {
    name: metadata.name,
    driver: csi.driver,
    handle: csi.volumeHandle,
    lifecycle: 'Persistent',
    fsType: csi.fsType ?? '',
    attributes: csi.volumeAttributes ?? {},
    accessModes: spec.accessModes ?? [],
    mountFlags: spec.mountOptions ?? [],
    readOnly,
    isBlock: spec.volumeMode === 'Block',
    secrets: {
      ...(csi.nodeStageSecretRef && { stage: csi.nodeStageSecretRef }),
      ...(csi.nodePublishSecretRef && { publish: csi.nodePublishSecretRef }),
      ...(csi.nodeExpandSecretRef && { expand: csi.nodeExpandSecretRef }),
    },
  }
}

/** It lives as long as the Pod. */
export function ephemeralCsiVolume({ metadata }: Pod, { name, csi }: Volume): CsiVolume {
  const { driver, fsType = '', readOnly = false, volumeAttributes, nodePublishSecretRef } = csi!
  const secret = nodePublishSecretRef && {
    name: nodePublishSecretRef.name!,
    namespace: metadata.namespace ?? '',
  }
  return {
    name,
    driver,
    handle: `csi-${sha256(`${metadata.uid}${name}`)}`,
    lifecycle: 'Ephemeral',
    fsType,
    attributes: volumeAttributes ?? {},
    accessModes: [],
    mountFlags: [],
    readOnly,
    isBlock: false,
    secrets: { ...(secret && { publish: secret }) },
  }
}

export function capabilityOf(
  { accessModes, isBlock, fsType, mountFlags }: CsiVolume,
  abilities: ReadonlySet<NodeRpc>,
  fsGroup: number | undefined,
): VolumeCapability {
  const mode = accessModeOf(accessModes[0] ?? 'ReadWriteOnce', abilities.has('SINGLE_NODE_MULTI_WRITER'))
  if (isBlock) return { block: {}, accessMode: { mode } }
  const volumeMountGroup = fsGroup !== undefined && abilities.has('VOLUME_MOUNT_GROUP') ? String(fsGroup) : ''
  return { mount: { fsType, mountFlags, volumeMountGroup }, accessMode: { mode } }
}

/** Newer drivers tell apart who writes on the one node. */
function accessModeOf(mode: string, tellsWritersApart: boolean): AccessMode {
  switch (mode) {
    case 'ReadWriteOnce':
      return tellsWritersApart ? 'SINGLE_NODE_MULTI_WRITER' : 'SINGLE_NODE_WRITER'
    case 'ReadWriteOncePod':
      return tellsWritersApart ? 'SINGLE_NODE_SINGLE_WRITER' : 'SINGLE_NODE_WRITER'
    case 'ReadOnlyMany':
      return 'MULTI_NODE_READER_ONLY'
    case 'ReadWriteMany':
      return 'MULTI_NODE_MULTI_WRITER'
    default:
      return 'UNKNOWN'
  }
}

/** Whether the kubelet gives the files to the Pod's group. Upstream: supportsFSGroup. */
export function isGroupGiven(
  { readOnly, fsType, accessModes }: CsiVolume,
  driver: CSIDriver | undefined,
  abilities: ReadonlySet<NodeRpc>,
): boolean {
  const policy = driver?.spec.fsGroupPolicy ?? 'ReadWriteOnceWithFSType'
  if (policy === 'None' || readOnly || abilities.has('VOLUME_MOUNT_GROUP')) return false
  return policy === 'File' || (fsType !== '' && accessModes.includes('ReadWriteOnce'))
}

/** Why the driver does not serve such volumes; undefined when it does. Upstream: supportsVolumeLifecycleMode. */
export function lifecycleProblem(
  { driver, lifecycle }: CsiVolume,
  object: CSIDriver | undefined,
): string | undefined {
  if (!object) {
    const problem = `volume mode "${lifecycle}" not supported by driver ${driver} (no CSIDriver object)`
    return lifecycle === 'Persistent' ? undefined : problem
  }
  const modes = object.spec.volumeLifecycleModes ?? []
  const supported = modes.length > 0 ? modes : ['Persistent']
  if (supported.includes(lifecycle)) return undefined
  const quoted = supported.map(mode => `"${mode}"`).join(' ')
  return `volume mode "${lifecycle}" not supported by driver ${driver} (only supports [${quoted}])`
}

/** Without a CSIDriver it is not known: then it is. */
export const isAttachable = ({ lifecycle }: CsiVolume, object: CSIDriver | undefined): boolean =>
  lifecycle === 'Persistent' && object?.spec.attachRequired !== false
