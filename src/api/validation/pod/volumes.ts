// Upstream: ValidateVolumes, validateVolumeSource.
import { isConfigMapKey, isDns1123Label } from '../../names.ts'
import type { DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume } from '../../types/core-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '../field-error.ts'
import { validateFieldRef, validateResourceFieldRef } from './environment.ts'
import { parseQuantity } from './resources.ts'
import { descendingPath } from './volume-mounts.ts'

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
const MEDIUMS = /^(|Memory|HugePages.*)$/

export function validateVolumes(volumes: readonly Volume[], path: string): FieldError[] {
  const names = new Set<string>()
  return volumes.flatMap((volume, index) => {
    const at = `${path}[${index}]`
    const errors = validateSource(volume, at)
    if (!volume.name) errors.push(required(`${at}.name`))
    else errors.push(...each(`${at}.name`, volume.name, isDns1123Label))
    if (volume.name && names.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name))
    names.add(volume.name)
    return errors
  })
}

function validateSource(volume: Volume, path: string): FieldError[] {
  const kinds = Object.keys(volume).filter(key => key !== 'name' && volume[key as keyof Volume] !== undefined)
  const errors: FieldError[] = kinds
    .slice(1)
    .map(kind => forbiddenField(`${path}.${kind}`, 'may not specify more than 1 volume type'))
  const [kind] = kinds
  if (!kind) return [required(path, 'must specify a volume type')]
  return [...errors, ...(checks[kind]?.(volume, `${path}.${kind}`) ?? [])]
}

/** Volume source → its own checks; sources without any are left out. */
const checks: Record<string, (volume: Volume, path: string) => FieldError[]> = {
  emptyDir({ emptyDir }, path) {
    const errors: FieldError[] = []
    const { sizeLimit, medium = '' } = emptyDir!
    if (sizeLimit !== undefined && (parseQuantity(sizeLimit)?.sign ?? -1) < 0) {
      errors.push(forbiddenField(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
    }
    if (!MEDIUMS.test(medium))
      errors.push(notSupported(`${path}.medium`, medium, ['', 'HugePages', 'Memory']))
    return errors
  },
  hostPath({ hostPath }, path) {
    if (!hostPath!.path) return [required(`${path}.path`)]
    const errors: FieldError[] = []
    if (hostPath!.path.split('/').includes('..'))
      errors.push(invalidValue(`${path}.path`, hostPath!.path, "must not contain '..'"))
    const type = hostPath!.type ?? ''
    if (!HOST_PATH_TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, HOST_PATH_TYPES))
    return errors
  },
  secret({ secret }, path) {
    const name = secret!.secretName ? [] : [required(`${path}.secretName`)]
    return [
      ...name,
      ...mode(secret!.defaultMode, `${path}.defaultMode`),
      ...items(secret!.items, `${path}.items`),
    ]
  },
  configMap({ configMap }, path) {
    const name = configMap!.name ? [] : [required(`${path}.name`)]
    return [
      ...name,
      ...mode(configMap!.defaultMode, `${path}.defaultMode`),
      ...items(configMap!.items, `${path}.items`),
    ]
  },
  downwardAPI({ downwardAPI }, path) {
    return [
      ...mode(downwardAPI!.defaultMode, `${path}.defaultMode`),
      ...downwardItems(downwardAPI!.items, path),
    ]
  },
  projected: ({ projected }, path) => validateProjected(projected!, path),
  persistentVolumeClaim({ persistentVolumeClaim }, path) {
    return persistentVolumeClaim!.claimName ? [] : [required(`${path}.claimName`)]
  },
  nfs({ nfs }, path) {
    const errors: FieldError[] = nfs!.server ? [] : [required(`${path}.server`)]
    if (!nfs!.path) errors.push(required(`${path}.path`))
    else if (!nfs!.path.startsWith('/'))
      errors.push(invalidValue(`${path}.path`, nfs!.path, 'must be an absolute path'))
    return errors
  },
  csi({ csi }, path) {
    return csi!.driver ? [] : [required(`${path}.driver`)]
  },
}

function mode(value: number | undefined, path: string): FieldError[] {
  if (value === undefined || (value >= 0 && value <= 0o777)) return []
  return [invalidValue(path, value, 'must be a number between 0 and 0777 (octal), both inclusive')]
}

function items(list: readonly KeyToPath[] | undefined, path: string): FieldError[] {
  return (list ?? []).flatMap((item, index) => {
    const at = `${path}[${index}]`
    return [
      ...(item.key ? each(`${at}.key`, item.key, isConfigMapKey) : [required(`${at}.key`)]),
      ...(item.path ? filePath(item.path, `${at}.path`) : [required(`${at}.path`)]),
      ...mode(item.mode, `${at}.mode`),
    ]
  })
}

/** Upstream: validateLocalNonReservedPath. */
function filePath(text: string, path: string): FieldError[] {
  const errors = descendingPath(text, path)
  if (text.startsWith('..') && errors.length === 0)
    errors.push(invalidValue(path, text, "must not start with '..'"))
  return errors
}

const DOWNWARD_FIELDS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]

function downwardItems(list: readonly DownwardAPIVolumeFile[] | undefined, path: string): FieldError[] {
  return (list ?? []).flatMap(item => {
    const errors: FieldError[] = item.path ? filePath(item.path, `${path}.path`) : [required(`${path}.path`)]
    if (item.fieldRef && item.resourceFieldRef) {
      errors.push(
        invalidValue(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'),
      )
    } else if (item.fieldRef)
      errors.push(...validateFieldRef(item.fieldRef, DOWNWARD_FIELDS, `${path}.fieldRef`))
    else if (item.resourceFieldRef) {
      errors.push(...validateResourceFieldRef(item.resourceFieldRef, `${path}.resourceFieldRef`, true))
    } else errors.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
    return [...errors, ...mode(item.mode, `${path}.mode`)]
  })
}

const SHORTEST_TOKEN_SECONDS = 600
const LONGEST_TOKEN_SECONDS = 2 ** 32

function validateProjected({ sources, defaultMode }: ProjectedVolumeSource, path: string): FieldError[] {
  const errors = mode(defaultMode, `${path}.defaultMode`)
  for (const [index, source] of (sources ?? []).entries()) {
    const at = `${path}.sources[${index}]`
    const kinds = Object.keys(source)
    if (kinds.length === 0) errors.push(required(at, 'must specify a projected volume source'))
    for (const kind of kinds.slice(1))
      errors.push(forbiddenField(`${at}.${kind}`, 'may not specify more than 1 volume type'))
    if (source.secret) errors.push(...items(source.secret.items, `${at}.secret.items`))
    if (source.configMap) errors.push(...items(source.configMap.items, `${at}.configMap.items`))
    if (source.downwardAPI) errors.push(...downwardItems(source.downwardAPI.items, `${at}.downwardAPI`))
    const token = source.serviceAccountToken
    if (!token) continue
    const seconds = token.expirationSeconds ?? 3_600
    const field = `${at}.serviceAccountToken`
    if (seconds < SHORTEST_TOKEN_SECONDS) {
      errors.push(
        invalidValue(
          `${field}.expirationSeconds`,
          seconds,
          'may not specify a duration less than 10 minutes',
        ),
      )
    }
    if (seconds > LONGEST_TOKEN_SECONDS) {
      errors.push(
        invalidValue(
          `${field}.expirationSeconds`,
          seconds,
          'may not specify a duration larger than 2^32 seconds',
        ),
      )
    }
    errors.push(...(token.path ? filePath(token.path, `${field}.path`) : [required(`${field}.path`)]))
  }
  return errors
}
