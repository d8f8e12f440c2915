// env and envFrom, and what downward API files share with them. Upstream: ValidateEnv, ValidateEnvFrom.
import {
  isConfigMapKey,
  isDns1123Label,
  isDns1123Subdomain,
  isEnvironmentVariableName,
  isQualifiedName,
} from '../../names.ts'
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  FileKeySelector,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../types/core-v1.ts'
import { each, type FieldError, invalidValue, notFoundValue, notSupported, required } from '../field-error.ts'
import { maskTail } from '../object-meta.ts'
import { parseQuantity } from '../resource-names.ts'
import { containersOf, type PodContext } from './pod-context.ts'
import { noBacksteps } from './volume-paths.ts'

const MORE_THAN_ONE = 'may not have more than one field specified at a time'

export function validateEnv(list: readonly EnvVar[], path: string): FieldError[] {
  return list.flatMap((variable, index) => {
    const at = `${path}[${index}]`
    const name = variable.name
      ? each(`${at}.name`, variable.name, isEnvironmentVariableName)
      : [required(`${at}.name`)]
    const { valueFrom } = variable
    return valueFrom ? [...name, ...validateSource(variable, valueFrom, `${at}.valueFrom`)] : name
  })
}

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
const SOURCES = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'] as const

function validateSource(variable: EnvVar, source: EnvVarSource, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (source.fieldRef) errors.push(...validateFieldRef(source.fieldRef, ENV_FIELDS, `${path}.fieldRef`))
  if (source.resourceFieldRef)
    errors.push(...validateResourceFieldRef(source.resourceFieldRef, `${path}.resourceFieldRef`))
  for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const ref = source[kind]
    if (!ref) continue
    errors.push(...each(`${path}.${kind}.name`, ref.name ?? '', isDns1123Subdomain))
    errors.push(...keyErrors(ref.key, `${path}.${kind}.key`, isConfigMapKey))
  }
  if (source.fileKeyRef) errors.push(...validateFileKeyRef(source.fileKeyRef, `${path}.fileKeyRef`))
  const count = SOURCES.filter(kind => source[kind]).length
  if (count === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    errors.push(invalidValue(path, '', detail))
  } else if (variable.value) {
    errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'))
  } else if (count > 1) errors.push(invalidValue(path, '', MORE_THAN_ONE))
  return errors
}

const keyErrors = (key: string | undefined, path: string, check: (key: string) => string[]) =>
  key ? each(path, key, check) : [required(path)]

function validateFileKeyRef(ref: FileKeySelector, path: string): FieldError[] {
  return [
    ...keyErrors(ref.key, `${path}.key`, isEnvironmentVariableName),
    ...keyErrors(ref.volumeName, `${path}.volumeName`, isDns1123Label),
    ...(ref.path ? noBacksteps(ref.path, `${path}.path`) : [required(`${path}.path`)]),
  ]
}

/** Files with variables come from an emptyDir of the Pod. Upstream: validateFileKeyRefVolumes. */
export function validateFileKeyVolumes({ spec, path }: PodContext): FieldError[] {
  const volumes = new Map((spec.volumes ?? []).map(volume => [volume.name, volume]))
  return [...containersOf(spec, path)].flatMap(([container, at]) =>
    (container.env ?? []).flatMap(({ valueFrom }, index) => {
      const name = valueFrom?.fileKeyRef?.volumeName
      if (!valueFrom?.fileKeyRef) return []
      const field = `${at}.env[${index}].valueFrom.fileKeyRef.volumeName`
      const volume = volumes.get(name ?? '')
      if (!volume) return [notFoundValue(field, name ?? '')]
      return volume.emptyDir ? [] : [invalidValue(field, name, 'referenced volume must be of type emptyDir')]
    }),
  )
}

/** What ConvertDownwardAPIFieldLabel takes, whether or not it may be asked for at this place. */
const KNOWN_FIELDS = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
  'spec.host',
])

/** `allowed` are the plain paths; labels and annotations may be asked one by one: metadata.labels['key']. */
export function validateFieldRef(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  allowed: readonly string[],
  path: string,
): FieldError[] {
  if (!apiVersion) return [required(`${path}.apiVersion`)]
  if (!fieldPath) return [required(`${path}.fieldPath`)]
  const field = `${path}.fieldPath`
  const cannot = (why: string) => [invalidValue(field, fieldPath, `error converting fieldPath: ${why}`)]
  if (apiVersion !== 'v1') return cannot(`unsupported pod version: ${apiVersion}`)
  const [, name, key] = /^(.+?)\['(.*)'\]$/s.exec(fieldPath) ?? []
  if (name !== undefined && key !== undefined) {
    if (name === 'metadata.annotations') return each(path, key.toLowerCase(), isQualifiedName)
    if (name === 'metadata.labels') return each(path, key, isQualifiedName)
    return cannot(`field label does not support subscript: ${fieldPath}`)
  }
  if (!KNOWN_FIELDS.has(fieldPath)) return cannot(`field label not supported: ${fieldPath}`)
  const plain = fieldPath === 'spec.host' ? 'spec.nodeName' : fieldPath
  return allowed.includes(plain) ? [] : [notSupported(field, plain, allowed)]
}

const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]

export function validateResourceFieldRef(
  ref: ResourceFieldSelector,
  path: string,
  inVolume = false,
): FieldError[] {
  const errors: FieldError[] = []
  if (inVolume && !ref.containerName) errors.push(required(`${path}.containerName`))
  else if (!ref.resource) errors.push(required(`${path}.resource`))
  else if (!RESOURCES.includes(ref.resource) && !/^(limits|requests)\.hugepages-/.test(ref.resource))
    errors.push(notSupported(`${path}.resource`, ref.resource, RESOURCES))
  return [...errors, ...validateDivisor(ref, `${path}.divisor`)]
}

const BYTES = '1 1k 1M 1G 1T 1P 1E 1Ki 1Mi 1Gi 1Ti 1Pi 1Ei'.split(' ')
const ONLY_BYTES = `only divisor's values ${BYTES.join(', ')} are supported with the`

function validateDivisor(
  { resource = '', divisor = '0' }: ResourceFieldSelector,
  path: string,
): FieldError[] {
  const amount = parseQuantity(divisor)
  if (!amount || amount.isZero) return []
  const [, name = ''] = /^(?:limits|requests)\.(.*)$/.exec(resource) ?? []
  const refuse = (detail: string) => [invalidValue(path, resource, detail)]
  const text = amount.toString()
  if (name === 'cpu') {
    return text === '1m' || text === '1'
      ? []
      : refuse("only divisor's values 1m and 1 are supported with the cpu resource")
  }
  if (BYTES.includes(text)) return []
  if (name === 'memory') return refuse(`${ONLY_BYTES} memory resource`)
  if (name === 'ephemeral-storage') return refuse(`${ONLY_BYTES} local ephemeral storage resource`)
  return name.startsWith('hugepages-') ? refuse(`${ONLY_BYTES} hugepages resource`) : []
}

export function validateEnvFrom(list: readonly EnvFromSource[], path: string): FieldError[] {
  return list.flatMap((source, index) => {
    const at = `${path}[${index}]`
    const errors = source.prefix ? each(`${at}.prefix`, source.prefix, isEnvironmentVariableName) : []
    const kinds = (['configMapRef', 'secretRef'] as const).filter(kind => source[kind])
    for (const kind of kinds) {
      const { name } = source[kind]!
      const field = `${at}.${kind}.name`
      if (!name) errors.push(required(field))
      else
        for (const detail of isDns1123Subdomain(maskTail(name)))
          errors.push(invalidValue(field, name, detail))
    }
    if (kinds.length === 0)
      errors.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    else if (kinds.length > 1) errors.push(invalidValue(path, '', MORE_THAN_ONE))
    return errors
  })
}
