// What each source of a volume must hold. Upstream: validateHostPathVolumeSource and its many sisters.
import { isDns1123Label, isDns1123Subdomain } from '../../names.ts'
import type { KeyToPath, Volume } from '../../types/core-v1.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  oneOf,
  required,
  tooLong,
} from '../field-error.ts'
import { validateClaimTemplate } from '../persistent-volume-claim.ts'
import { parseQuantity } from '../resource-names.ts'
import {
  flexOptions,
  validateAzureDisk,
  validateFc,
  validateIscsi,
  validatePartition,
  validateQuobyte,
} from './legacy-volume-sources.ts'
import type { PodContext } from './pod-context.ts'
import { validateProjected } from './projected-volume.ts'
import { PULL_POLICIES } from './pull-policy.ts'
import { needs, validateDownwardFile, validateKeyToPath, validateMode } from './volume-items.ts'
import { descendingPath, noBacksteps } from './volume-paths.ts'

export type SourceName = Exclude<keyof Volume, 'name'>
type Check = (volume: Volume, path: string, context: PodContext) => FieldError[]

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]

/** In upstream's order: the first that is set counts, the others are too many. */
export const SOURCES: Record<SourceName, Check> = {
  emptyDir({ emptyDir }, path) {
    const { sizeLimit } = emptyDir!
    if (sizeLimit === undefined || (parseQuantity(sizeLimit)?.sign ?? -1) >= 0) return []
    return [forbiddenField(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
  },
  hostPath: ({ hostPath }, path) => validateHostPath(hostPath!, path),
  gitRepo({ gitRepo }, path) {
    return [
      ...needs(gitRepo!, ['repository'], path),
      ...descendingPath(gitRepo!.directory ?? '', `${path}.directory`),
    ]
  },
  gcePersistentDisk({ gcePersistentDisk }, path) {
    return [
      ...needs(gcePersistentDisk!, ['pdName'], path),
      ...validatePartition(gcePersistentDisk!.partition, path),
    ]
  },
  awsElasticBlockStore({ awsElasticBlockStore }, path) {
    return [
      ...needs(awsElasticBlockStore!, ['volumeID'], path),
      ...validatePartition(awsElasticBlockStore!.partition, path),
    ]
  },
  secret({ secret }, path) {
    const { items, defaultMode } = secret!
    return [...needs(secret!, ['secretName'], path), ...modeAndItems(defaultMode, items, path)]
  },
  nfs: ({ nfs }, path) => validateNfs(nfs!, path),
  iscsi: ({ iscsi }, path) => validateIscsi(iscsi!, path),
  glusterfs: ({ glusterfs }, path) => needs(glusterfs!, ['endpoints', 'path'], path),
  flocker({ flocker }, path) {
    const { datasetName = '', datasetUUID = '' } = flocker!
    const errors: FieldError[] = []
    if (!datasetName && !datasetUUID)
      errors.push(required(path, 'one of datasetName and datasetUUID is required'))
    if (datasetName && datasetUUID) {
      const detail = 'datasetName and datasetUUID can not be specified simultaneously'
      errors.push(invalidValue(path, 'resource', detail))
    }
    if (datasetName.includes('/'))
      errors.push(invalidValue(`${path}.datasetName`, datasetName, "must not contain '/'"))
    return errors
  },
  persistentVolumeClaim: ({ persistentVolumeClaim }, path) =>
    needs(persistentVolumeClaim!, ['claimName'], path),
  rbd: ({ rbd }, path) => needs(rbd!, ['monitors', 'image'], path),
  cinder({ cinder }, path) {
    return [...needs(cinder!, ['volumeID'], path), ...refName(cinder!.secretRef, path)]
  },
  cephfs: ({ cephfs }, path) => needs(cephfs!, ['monitors'], path),
  quobyte: ({ quobyte }, path) => validateQuobyte(quobyte!, path),
  downwardAPI({ downwardAPI }, path) {
    return [
      ...validateMode(downwardAPI!.defaultMode, `${path}.defaultMode`),
      ...(downwardAPI!.items ?? []).flatMap(file => validateDownwardFile(file, path)),
    ]
  },
  fc: ({ fc }, path) => validateFc(fc!, path),
  flexVolume({ flexVolume }, path) {
    return [...needs(flexVolume!, ['driver'], path), ...flexOptions(flexVolume!.options, path)]
  },
  configMap({ configMap }, path) {
    const { items, defaultMode } = configMap!
    return [...needs(configMap!, ['name'], path), ...modeAndItems(defaultMode, items, path)]
  },
  azureFile: ({ azureFile }, path) => needs(azureFile!, ['secretName', 'shareName'], path),
  vsphereVolume: ({ vsphereVolume }, path) => needs(vsphereVolume!, ['volumePath'], path),
  photonPersistentDisk: ({ photonPersistentDisk }, path) => needs(photonPersistentDisk!, ['pdID'], path),
  portworxVolume: ({ portworxVolume }, path) => needs(portworxVolume!, ['volumeID'], path),
  azureDisk: ({ azureDisk }, path) => validateAzureDisk(azureDisk!, path),
  storageos({ storageos }, path) {
    const { volumeName = '', volumeNamespace, secretRef } = storageos!
    return [
      ...(volumeName
        ? each(`${path}.volumeName`, volumeName, isDns1123Label)
        : [required(`${path}.volumeName`)]),
      ...(volumeNamespace ? each(`${path}.volumeNamespace`, volumeNamespace, isDns1123Label) : []),
      ...refName(secretRef, path),
    ]
  },
  projected: ({ projected }, path) => validateProjected(projected!, path),
  scaleIO: ({ scaleIO }, path) => needs(scaleIO!, ['gateway', 'system', 'volumeName'], path),
  csi({ csi }, path) {
    const { driver, nodePublishSecretRef: ref } = csi!
    const errors = validateCsiDriverName(driver, `${path}.driver`)
    if (!ref) return errors
    if (!ref.name) return [...errors, required(`${path}.nodePublishSecretRef.name`)]
    return [...errors, ...each(`${path}.name`, ref.name, isDns1123Subdomain)]
  },
  ephemeral({ ephemeral }, path) {
    const template = ephemeral!.volumeClaimTemplate
    const at = `${path}.volumeClaimTemplate`
    return template ? validateClaimTemplate(template, at) : [required(at)]
  },
  image({ image }, path, { isPod }) {
    const { reference, pullPolicy } = image!
    return [
      ...(isPod && !reference ? [required(`${path}.reference`)] : []),
      ...oneOf(`${path}.pullPolicy`, pullPolicy, PULL_POLICIES),
    ]
  },
}

const refName = (ref: { name?: string } | undefined, path: string): FieldError[] =>
  ref && !ref.name ? [required(`${path}.secretRef.name`)] : []

export function validateHostPath(
  { path: hostPath, type }: { path: string; type?: string },
  path: string,
): FieldError[] {
  if (!hostPath) return [required(`${path}.path`)]
  const errors = noBacksteps(hostPath, `${path}.path`)
  return type === undefined || HOST_PATH_TYPES.includes(type)
    ? errors
    : [...errors, notSupported(`${path}.type`, type, HOST_PATH_TYPES)]
}

export function validateNfs(nfs: { server: string; path: string }, path: string): FieldError[] {
  const errors = needs(nfs, ['server', 'path'], path)
  if (nfs.path?.startsWith('/')) return errors
  return [...errors, invalidValue(`${path}.path`, nfs.path ?? '', 'must be an absolute path')]
}

export function validateCsiDriverName(name: string, path: string): FieldError[] {
  if (!name) return [required(path)]
  return [
    ...(name.length > 63 ? [tooLong(path, 63)] : []),
    ...isDns1123Subdomain(name.toLowerCase()).map(detail => invalidValue(path, name, detail)),
  ]
}

function modeAndItems(
  mode: number | undefined,
  items: readonly KeyToPath[] | undefined,
  path: string,
): FieldError[] {
  return [
    ...validateMode(mode, `${path}.defaultMode`),
    ...(items ?? []).flatMap((item, index) => validateKeyToPath(item, `${path}.items[${index}]`)),
  ]
}
