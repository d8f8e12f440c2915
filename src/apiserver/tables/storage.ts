import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type {
  CSIDriver,
  CSINode,
  StorageClass,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../../api/types/storage-v1.ts'
import { ageOf, formatAccessModes } from './cells.ts'
import { AGE, column, NAME, type TableKind, wide } from './table.ts'

const UNSET = '<unset>'
/** The way to name a class before the field existed; it wins over the field. */
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class'

const CAPACITY = column('Capacity', 'Size.')
const ACCESS_MODES = column('Access Modes', 'How many may use it, and how.')
const STORAGE_CLASS = column('StorageClass', 'Storage class it belongs to.')
const ATTRIBUTES_CLASS = column('VolumeAttributesClass', 'Class of its adjustable attributes.')
const VOLUME_MODE = wide('VolumeMode', 'Filesystem or Block.')

export const persistentVolumeTable: TableKind<PersistentVolume> = {
  columns: [
    NAME,
    CAPACITY,
    ACCESS_MODES,
    column('Reclaim Policy', 'What becomes of it when its claim is gone.'),
    column('Status', 'Whether it is bound.'),
    column('Claim', 'Claim that it is bound to.'),
    STORAGE_CLASS,
    ATTRIBUTES_CLASS,
    column('Reason', 'Why it is in this state, in one word.'),
    AGE,
    VOLUME_MODE,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.capacity?.storage ?? '0',
    formatAccessModes(spec.accessModes),
    spec.persistentVolumeReclaimPolicy ?? '',
    metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? ''),
    spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '',
    metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '',
    spec.volumeAttributesClassName || UNSET,
    status.reason ?? '',
    ageOf(metadata, now),
    spec.volumeMode ?? UNSET,
  ],
}

export const persistentVolumeClaimTable: TableKind<PersistentVolumeClaim> = {
  columns: [
    NAME,
    column('Status', 'Whether it is bound.'),
    column('Volume', 'Volume that it is bound to.'),
    CAPACITY,
    ACCESS_MODES,
    STORAGE_CLASS,
    ATTRIBUTES_CLASS,
    AGE,
    VOLUME_MODE,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    metadata.deletionTimestamp ? 'Terminating' : (status.phase ?? ''),
    spec.volumeName ?? '',
    spec.volumeName ? (status.capacity?.storage ?? '0') : '',
    spec.volumeName ? formatAccessModes(status.accessModes) : '',
    metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName ?? '',
    spec.volumeAttributesClassName || UNSET,
    ageOf(metadata, now),
    spec.volumeMode ?? UNSET,
  ],
}

const DEFAULT_CLASS_ANNOTATIONS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]

export const storageClassTable: TableKind<StorageClass> = {
  columns: [
    NAME,
    column('Provisioner', 'Who makes its volumes.'),
    column('ReclaimPolicy', 'What becomes of a volume when its claim is gone.'),
    column('VolumeBindingMode', 'When volumes are made and bound.'),
    column('AllowVolumeExpansion', 'Whether claims may grow.'),
    AGE,
  ],
  cells: ({ metadata, provisioner, reclaimPolicy, volumeBindingMode, allowVolumeExpansion }, now) => {
    const isDefault = DEFAULT_CLASS_ANNOTATIONS.some(key => metadata.annotations?.[key] === 'true')
    return [
      isDefault ? `${metadata.name} (default)` : metadata.name,
      provisioner,
      reclaimPolicy ?? 'Delete',
      volumeBindingMode ?? 'Immediate',
      allowVolumeExpansion ?? false,
      ageOf(metadata, now),
    ]
  },
}

export const volumeAttachmentTable: TableKind<VolumeAttachment> = {
  columns: [
    NAME,
    { ...column('Attacher', 'Driver that attaches it.'), format: 'name' },
    column('PV', 'Volume to attach.'),
    column('Node', 'Node to attach it to.'),
    column('Attached', 'Whether it is attached now.', 'boolean'),
    AGE,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    spec.attacher,
    spec.source.persistentVolumeName ?? '',
    spec.nodeName,
    status?.attached ?? false,
    ageOf(metadata, now),
  ],
}

export const csiNodeTable: TableKind<CSINode> = {
  columns: [NAME, column('Drivers', 'Number of drivers on the node.', 'integer'), AGE],
  cells: ({ metadata, spec }, now) => [metadata.name, spec.drivers?.length ?? 0, ageOf(metadata, now)],
}

export const csiDriverTable: TableKind<CSIDriver> = {
  columns: [
    NAME,
    column('AttachRequired', 'Whether volumes are attached before they are mounted.', 'boolean'),
    column('PodInfoOnMount', 'Whether the driver is told about the pod.', 'boolean'),
    column('StorageCapacity', 'Whether the scheduler looks at capacity.', 'boolean'),
    column('TokenRequests', 'Audiences of the tokens it gets.'),
    column('RequiresRepublish', 'Whether volumes are published again and again.', 'boolean'),
    column('Modes', 'Kinds of volume that it supports.'),
    AGE,
  ],
  cells: ({ metadata, spec }, now) => [
    metadata.name,
    spec.attachRequired ?? true,
    spec.podInfoOnMount ?? false,
    spec.storageCapacity ?? false,
    (spec.tokenRequests ?? []).map(({ audience }) => audience).join(',') || UNSET,
    spec.requiresRepublish ?? false,
    (spec.volumeLifecycleModes ?? []).join(',') || '<none>',
    ageOf(metadata, now),
  ],
}

export const volumeAttributesClassTable: TableKind<VolumeAttributesClass> = {
  columns: [NAME, column('DriverName', 'CSI driver whose volumes have these attributes.'), AGE],
  cells: ({ metadata, driverName }, now) => [metadata.name, driverName, ageOf(metadata, now)],
}
