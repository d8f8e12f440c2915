// env and envFrom. Upstream: ValidateEnv, ValidateEnvFrom.
import { isConfigMapKey, isDns1123Subdomain, isEnvironmentVariableName } from '../../names.ts'
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../../types/core-v1.ts'
import { each, type FieldError, invalidValue, notSupported, required } from '../field-error.ts'
import { parseQuantity } from './resources.ts'

export function validateEnv(list: readonly EnvVar[], path: string): FieldError[] {
  return list.flatMap((variable, index) => {
    const at = `${path}[${index}]`
    const name = variable.name
      ? each(`${at}.name`, variable.name, isEnvironmentVariableName)
      : [required(`${at}.name`)]
    return [
      ...name,
      ...(variable.valueFrom ? validateSource(variable, variable.valueFrom, `${at}.valueFrom`) : []),
    ]
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

function validateSource(variable: EnvVar, source: EnvVarSource, path: string): FieldError[] {
  const errors: FieldError[] = []
  const set = Object.entries(source).filter(([, value]) => value !== undefined)
  if (source.fieldRef) errors.push(...validateFieldRef(source.fieldRef, ENV_FIELDS, `${path}.fieldRef`))
  if (source.resourceFieldRef)
    errors.push(...validateResourceFieldRef(source.resourceFieldRef, `${path}.resourceFieldRef`))
  for (const kind of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const ref = source[kind]
    if (!ref) continue
    if (!ref.name) errors.push(required(`${path}.${kind}.name`))
    if (!ref.key) errors.push(required(`${path}.${kind}.key`))
    else errors.push(...each(`${path}.${kind}.key`, ref.key, isConfigMapKey))
  }
  if (set.length === 0) {
    errors.push(
      invalidValue(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    )
  } else if (variable.value) {
    errors.push(invalidValue(path, '', 'may not be specified when `value` is not empty'))
  }
  if (set.length > 1)
    errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
  return errors
}

/** `allowed` are the plain paths; labels and annotations may be asked one by one: metadata.labels['key']. */
export function validateFieldRef(
  ref: ObjectFieldSelector,
  allowed: readonly string[],
  path: string,
): FieldError[] {
  if (!ref.apiVersion) return [required(`${path}.apiVersion`)]
  if (!ref.fieldPath) return [required(`${path}.fieldPath`)]
  if (/^metadata\.(labels|annotations)\['[^']+'\]$/.test(ref.fieldPath)) return []
  if (allowed.includes(ref.fieldPath)) return []
  if (/^(metadata|spec|status)\./.test(ref.fieldPath))
    return [notSupported(`${path}.fieldPath`, ref.fieldPath, allowed)]
  return [
    invalidValue(
      `${path}.fieldPath`,
      ref.fieldPath,
      `error converting fieldPath: field label not supported: ${ref.fieldPath}`,
    ),
  ]
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
  volume = false,
): FieldError[] {
  if (volume && !ref.containerName) return [required(`${path}.containerName`)]
  if (!ref.resource) return [required(`${path}.resource`)]
  if (!RESOURCES.includes(ref.resource) && !/^(limits|requests)\.hugepages-/.test(ref.resource)) {
    return [notSupported(`${path}.resource`, ref.resource, RESOURCES)]
  }
  const divisor = parseQuantity(ref.divisor ?? '0')
  return divisor ? [] : [invalidValue(`${path}.divisor`, ref.divisor, 'must be a quantity')]
}

export function validateEnvFrom(list: readonly EnvFromSource[], path: string): FieldError[] {
  return list.flatMap((source, index) => {
    const at = `${path}[${index}]`
    const errors = source.prefix ? each(`${at}.prefix`, source.prefix, isEnvironmentVariableName) : []
    const kinds = (['configMapRef', 'secretRef'] as const).filter(kind => source[kind])
    for (const kind of kinds) {
      const name = source[kind]!.name
      errors.push(
        ...(name ? each(`${at}.${kind}.name`, name, isDns1123Subdomain) : [required(`${at}.${kind}.name`)]),
      )
    }
    if (kinds.length === 0)
      errors.push(invalidValue(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    if (kinds.length > 1)
      errors.push(invalidValue(path, '', 'may not have more than one field specified at a time'))
    return errors
  })
}
