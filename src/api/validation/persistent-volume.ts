// PersistentVolumes and StorageClasses. Upstream: ValidatePersistentVolume, and ValidateStorageClass in apis/storage.
import { isDns1123Subdomain, isQualifiedName } from '../names.ts'
import type { PersistentVolume, PersistentVolumeSpec } from '../types/core-v1.ts'
import type { StorageClass } from '../types/storage-v1.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  immutable,
  invalidValue,
  notSupported,
  required,
  same,
} from './field-error.ts'
import { VOLUME_MODES, validateAccessModes, validatePositiveAmount } from './persistent-volume-claim.ts'
import type { Validator } from './validator.ts'

const POLICIES = ['Delete', 'Recycle', 'Retain']
const SOURCES = [
  ...[
    'hostPath',
    'gcePersistentDisk',
    'awsElasticBlockStore',
    'glusterfs',
    'flocker',
    'nfs',
    'rbd',
    'quobyte',
  ],
  ...['cephfs', 'iscsi', 'cinder', 'fc', 'flexVolume', 'azureFile', 'vsphereVolume', 'photonPersistentDisk'],
  ...['portworxVolume', 'azureDisk', 'scaleIO', 'local', 'storageos', 'csi'],
] as const

function validateVolume({ spec }: PersistentVolume): FieldError[] {
  const errors: FieldError[] = []
  if ((spec.accessModes ?? []).length === 0) errors.push(required('spec.accessModes'))
  errors.push(...validateModes(spec), ...validateCapacity(spec), ...validateSource(spec))
  if (spec.persistentVolumeReclaimPolicy === 'Recycle' && spec.hostPath?.path === '/') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'"
    errors.push(forbiddenField('spec.persistentVolumeReclaimPolicy', detail))
  }
  if (spec.storageClassName)
    errors.push(...each('spec.storageClassName', spec.storageClassName, isDns1123Subdomain))
  if (spec.volumeMode !== undefined && !VOLUME_MODES.includes(spec.volumeMode))
    errors.push(notSupported('spec.volumeMode', spec.volumeMode, VOLUME_MODES))
  return errors
}

function validateModes({ accessModes = [], persistentVolumeReclaimPolicy: policy }: PersistentVolumeSpec) {
  const errors = validateAccessModes(accessModes, 'spec.accessModes')
  if (policy && !POLICIES.includes(policy))
    errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, POLICIES))
  return errors
}

function validateCapacity({ capacity = {} }: PersistentVolumeSpec): FieldError[] {
  const names = Object.keys(capacity)
  if (names.length === 0) return [required('spec.capacity')]
  const isOnlyStorage = names.length === 1 && names[0] === 'storage'
  return [
    ...(isOnlyStorage ? [] : [notSupported('spec.capacity', capacity, ['storage'])]),
    ...Object.entries(capacity).flatMap(([name, text]) =>
      validatePositiveAmount(text, `spec.capacity[${name}]`),
    ),
  ]
}

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const present = SOURCES.filter(source => spec[source] !== undefined)
  if (present.length === 0) return [required('spec', 'must specify a volume type')]
  const errors = present
    .slice(1)
    .map(source => forbiddenField(`spec.${source}`, 'may not specify more than 1 volume type'))
  if (spec.hostPath) errors.push(...validatePath(spec.hostPath.path, 'spec.hostPath.path'))
  if (!spec.local) return errors
  errors.push(...validatePath(spec.local.path, 'spec.local.path'))
  // Upstream names this field.
  if (!spec.nodeAffinity?.required)
    errors.push(required('metadata.annotations', 'Local volume requires node affinity'))
  return errors
}

function validatePath(path: string | undefined, field: string): FieldError[] {
  if (!path) return [required(field)]
  return path.split('/').includes('..') ? [invalidValue(field, path, "must not contain '..'")] : []
}

function validateVolumeUpdate({ spec }: PersistentVolume, old: PersistentVolume): FieldError[] {
  const errors: FieldError[] = []
  const sourceOf = (of: PersistentVolumeSpec) =>
    Object.fromEntries(SOURCES.map(source => [source, of[source]]))
  if (!same(sourceOf(spec), sourceOf(old.spec))) {
    const detail = 'spec.persistentvolumesource is immutable after creation'
    errors.push(forbiddenField('spec.persistentvolumesource', detail))
  }
  errors.push(...immutable('spec.volumeMode', spec.volumeMode, old.spec.volumeMode))
  if (old.spec.nodeAffinity !== undefined && !same(spec.nodeAffinity, old.spec.nodeAffinity))
    errors.push(invalidValue('spec.nodeAffinity', spec.nodeAffinity ?? null, 'field is immutable'))
  return errors
}

export const persistentVolumeValidator: Validator = { create: validateVolume, update: validateVolumeUpdate }

const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer']

function validateClass({ provisioner, reclaimPolicy, volumeBindingMode, parameters = {} }: StorageClass) {
  const errors: FieldError[] = []
  if (!provisioner) errors.push(required('provisioner', provisioner))
  else errors.push(...each('provisioner', provisioner.toLowerCase(), isQualifiedName))
  if (Object.keys(parameters).some(key => key === ''))
    errors.push(invalidValue('parameters', '', 'field can not be empty.'))
  if (reclaimPolicy && !['Delete', 'Retain'].includes(reclaimPolicy))
    errors.push(notSupported('reclaimPolicy', reclaimPolicy, ['Delete', 'Retain']))
  if (!volumeBindingMode) errors.push(required('volumeBindingMode'))
  else if (!BINDING_MODES.includes(volumeBindingMode))
    errors.push(notSupported('volumeBindingMode', volumeBindingMode, BINDING_MODES))
  return errors
}

function validateClassUpdate(after: StorageClass, old: StorageClass): FieldError[] {
  const errors = (['parameters', 'provisioner', 'reclaimPolicy'] as const)
    .filter(field => !same(after[field], old[field]))
    .map(field => forbiddenField(field, `updates to ${field} are forbidden.`))
  return [...errors, ...immutable('volumeBindingMode', after.volumeBindingMode, old.volumeBindingMode)]
}

export const storageClassValidator: Validator = { create: validateClass, update: validateClassUpdate }
