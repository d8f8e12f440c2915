// The larger checks of volume sources from the time before CSI. Upstream: validateISCSIVolumeSource, validateFCVolumeSource,
// validateQuobyteVolumeSource, validateAzureDisk, validateFlexVolumeSource.
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  ISCSIPersistentVolumeSource,
  ISCSIVolumeSource,
  QuobyteVolumeSource,
} from '../../types/core-v1.ts'
import { type FieldError, invalidValue, notSupported, required } from '../field-error.ts'

const IQN = /iqn\.\d{4}-\d{2}\.([A-Za-z0-9-.]+)(:[^,;*&$|\s]+)$/
const EUI = /^eui.[A-Za-z0-9]{16}$/
const NAA = /^naa.[A-Za-z0-9]{32}$/
const LUN_RANGE = 'must be between 0 and 255, inclusive'

export const validatePartition = (partition: number | undefined, path: string): FieldError[] =>
  partition === undefined || (partition >= 0 && partition <= 255)
    ? []
    : [invalidValue(`${path}.partition`, partition, 'must be between 1 and 255, inclusive')]

export function validateIscsi(
  source: ISCSIVolumeSource | ISCSIPersistentVolumeSource,
  path: string,
): FieldError[] {
  const { targetPortal, iqn, lun = 0, initiatorName: initiator, secretRef } = source
  const errors: FieldError[] = targetPortal ? [] : [required(`${path}.targetPortal`)]
  if (!iqn) errors.push(required(`${path}.iqn`))
  else errors.push(...qualifiedName(iqn, `${path}.iqn`))
  if (lun < 0 || lun > 255) errors.push(invalidValue(`${path}.lun`, lun, LUN_RANGE))
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !secretRef)
    errors.push(required(`${path}.secretRef`))
  return initiator === undefined ? errors : [...errors, ...qualifiedName(initiator, `${path}.initiatorname`)]
}

function qualifiedName(name: string, path: string): FieldError[] {
  const start = name.slice(0, 3)
  if (!['iqn', 'eui', 'naa'].includes(start))
    return [invalidValue(path, name, 'must be valid format starting with iqn, eui, or naa')]
  const pattern = start === 'iqn' ? IQN : start === 'eui' ? EUI : NAA
  return pattern.test(name) ? [] : [invalidValue(path, name, 'must be valid format')]
}

export function validateFc({ targetWWNs = [], wwids = [], lun }: FCVolumeSource, path: string): FieldError[] {
  const errors: FieldError[] = []
  const field = `${path}.targetWWNs`
  if (targetWWNs.length === 0 && wwids.length === 0)
    errors.push(required(field, 'must specify either targetWWNs or wwids, but not both'))
  if (targetWWNs.length > 0 && wwids.length > 0) {
    const detail = 'targetWWNs and wwids can not be specified simultaneously'
    errors.push(invalidValue(field, targetWWNs, detail))
  }
  if (targetWWNs.length === 0) return errors
  if (lun === undefined) errors.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'))
  else if (lun < 0 || lun > 255) errors.push(invalidValue(`${path}.lun`, lun, LUN_RANGE))
  return errors
}

const PAIRS = 'must be a host:port pair or multiple pairs separated by commas'

export function validateQuobyte(
  { registry, tenant = '', volume }: QuobyteVolumeSource,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (!registry) errors.push(required(`${path}.registry`, PAIRS))
  else if (tenant.length >= 65) {
    const detail = 'must be a UUID and may not exceed a length of 64 characters'
    errors.push(required(`${path}.tenant`, detail))
  } else {
    for (const pair of registry.split(',')) {
      if (!/^(\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(pair))
        errors.push(invalidValue(`${path}.registry`, registry, PAIRS))
    }
  }
  if (!volume) errors.push(required(`${path}.volume`))
  return errors
}

const CACHING = ['None', 'ReadOnly', 'ReadWrite']
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared']
const MANAGED_URI =
  '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const BLOB_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'

export function validateAzureDisk(disk: AzureDiskVolumeSource, path: string): FieldError[] {
  const { diskName, diskURI = '', cachingMode, kind } = disk
  const errors: FieldError[] = diskName ? [] : [required(`${path}.diskName`)]
  if (!diskURI) errors.push(required(`${path}.diskURI`))
  if (cachingMode !== undefined && !CACHING.includes(cachingMode))
    errors.push(notSupported(`${path}.cachingMode`, cachingMode, CACHING))
  if (kind === undefined) return errors
  if (!DISK_KINDS.includes(kind)) errors.push(notSupported(`${path}.kind`, kind, DISK_KINDS))
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/'))
    errors.push(notSupported(`${path}.diskURI`, diskURI, [MANAGED_URI]))
  if (kind !== 'Managed' && !diskURI.startsWith('https://'))
    errors.push(notSupported(`${path}.diskURI`, diskURI, [BLOB_URI]))
  return errors
}

/** Options of a driver may not use names of ours. */
export function flexOptions(options: Record<string, string> | undefined, path: string): FieldError[] {
  return Object.keys(options ?? {})
    .filter(key => /\.(kubernetes|k8s)\.io$/.test(`.${key.split('/')[0]!.toLowerCase()}`))
    .map(key =>
      invalidValue(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'),
    )
}
