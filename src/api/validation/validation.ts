// Which checks an object of a kind must pass. Kinds without an entry are checked for their metadata only.
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../kube-object.ts'
import { isConfigMapKey, isDns1123Label, isPathSegmentName } from '../names.ts'
import type { ConfigMap, Namespace, PersistentVolumeClaim, Pod, Secret } from '../types/core-v1.ts'
import { admissionPolicyChecks } from './admission-policy.ts'
import { admissionChecks } from './admission-registration.ts'
import { certificateChecks } from './certificates.ts'
import { clusterChecks } from './cluster/cluster-checks.ts'
import { definitionChecks } from './custom-resource-definition.ts'
import { deviceChecks } from './device-claims.ts'
import { each, type FieldError, forbiddenField, invalidValue, required } from './field-error.ts'
import { flowControlChecks } from './flow-control.ts'
import { type MetaRules, validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts'
import { persistentVolumeValidator, storageClassValidator } from './persistent-volume.ts'
import {
  validateClaimSpec,
  validateClaimStatusUpdate,
  validateClaimUpdate,
} from './persistent-volume-claim.ts'
import { validateEphemeralContainersUpdate, validatePodCreate } from './pod/pod.ts'
import { validatePodStatusUpdate } from './pod/pod-status.ts'
import { validatePodUpdate } from './pod/pod-update.ts'
import { rbacChecks } from './rbac.ts'
import { serviceValidators } from './service/service-validators.ts'
import type { Validator } from './validator.ts'
import { templateChecks } from './workloads.ts'

/** 'group/Kind' → checks. */
export const validators: Record<string, Validator> = {
  '/Pod': {
    subresources: {
      '': (pod: Pod, old: Pod) => validatePodUpdate(pod, old),
      status: (pod: Pod, old: Pod) => validatePodStatusUpdate(pod, old),
      ephemeralcontainers: (pod: Pod, old: Pod) => validateEphemeralContainersUpdate(pod, old),
    },
  },
  '/Namespace': { name: isDns1123Label, update: (_: Namespace, __: Namespace) => [] },
  ...serviceValidators,
  '/PersistentVolume': persistentVolumeValidator,
  '/PersistentVolumeClaim': {
    create: ({ spec }: PersistentVolumeClaim) => validateClaimSpec(spec, 'spec'),
    subresources: { '': validateClaimUpdate, status: validateClaimStatusUpdate },
  },
  'storage.k8s.io/StorageClass': storageClassValidator,
  '/ConfigMap': { create: validateConfigMap, update: validateConfigMapUpdate },
  '/Secret': { create: validateSecret, update: validateSecretUpdate },
  ...clusterChecks,
  ...rbacChecks,
  ...certificateChecks,
  ...definitionChecks,
  ...admissionChecks,
  ...admissionPolicyChecks,
  ...flowControlChecks,
  ...deviceChecks,
  // 'v1.' is the core group's.
  'apiregistration.k8s.io/APIService': { name: isPathSegmentName },
  ...templateChecks,
}

const keyOf = ({ apiVersion, kind }: KubeObject) =>
  `${apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''}/${kind}`

/** Everything wrong with an object about to be created. */
export function validateCreate(
  object: KubeObject,
  namespaced: boolean,
  finalizers?: MetaRules['finalizers'],
): FieldError[] {
  if (keyOf(object) === '/Pod') return validatePodCreate(object as never)
  const validator = validators[keyOf(object)]
  const meta = validateObjectMeta(object.metadata, {
    namespaced,
    ...(validator?.name && { name: validator.name }),
    ...(finalizers && { finalizers }),
  })
  return [...meta, ...(validator?.create?.(object as never) ?? [])]
}

/** Everything wrong with an update; `subresource` is '' for the object itself. */
export function validateUpdate(object: KubeObject, old: KubeObject, subresource = ''): FieldError[] {
  const validator = validators[keyOf(object)]
  const own = validator?.subresources?.[subresource]
  if (own) return own(object as never, old as never)
  const meta = validateObjectMetaUpdate(object.metadata, old.metadata)
  if (subresource !== '') return meta
  return [
    ...meta,
    ...(validator?.create?.(object as never) ?? []),
    ...(validator?.update?.(object as never, old as never) ?? []),
  ]
}

const MOST_BYTES = 1024 * 1024

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors = [...Object.keys(data).flatMap(key => keyErrors(`data[${key}]`, key))]
  for (const key of Object.keys(binaryData)) {
    errors.push(...keyErrors(`binaryData[${key}]`, key))
    if (key in data) errors.push(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'))
  }
  const size =
    Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0) + base64Size(binaryData)
  return size > MOST_BYTES ? [...errors, tooLarge('')] : errors
}

const keyErrors = (path: string, key: string) => each(path, key, isConfigMapKey)
const tooLarge = (path: string): FieldError => ({
  reason: 'FieldValueTooLong',
  field: path,
  message: `Too long: may not be more than ${MOST_BYTES} bytes`,
})
const base64Size = (map: Record<string, string>) =>
  Object.values(map).reduce((sum, text) => sum + Math.floor((text.length * 3) / 4), 0)

function validateConfigMapUpdate(map: ConfigMap, old: ConfigMap): FieldError[] {
  return immutability(map, old, ['data', 'binaryData'])
}

/** Upstream: the `immutable` checks of ValidateConfigMapUpdate and ValidateSecretUpdate. */
function immutability<T extends { immutable?: boolean }>(
  after: T,
  before: T,
  fields: readonly (keyof T & string)[],
): FieldError[] {
  if (!before.immutable) return []
  const errors: FieldError[] = []
  if (!after.immutable) errors.push(forbiddenField('immutable', 'field is immutable when `immutable` is set'))
  for (const field of fields) {
    if (!isDeepStrictEqual(after[field] ?? {}, before[field] ?? {})) {
      errors.push(forbiddenField(field, 'field is immutable when `immutable` is set'))
    }
  }
  return errors
}

/** Secret type → keys it must have. */
const SECRET_KEYS: Record<string, string[]> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

function validateSecret({ data = {}, type = '', metadata }: Secret): FieldError[] {
  const errors = Object.keys(data).flatMap(key => keyErrors(`data[${key}]`, key))
  if (base64Size(data) > MOST_BYTES) errors.push(tooLarge('data'))
  for (const key of SECRET_KEYS[type] ?? []) if (!(key in data)) errors.push(required(`data[${key}]`))
  const account = 'kubernetes.io/service-account.name'
  if (type === 'kubernetes.io/service-account-token' && !metadata.annotations?.[account]) {
    errors.push(required(`metadata.annotations[${account}]`))
  }
  for (const key of type === 'kubernetes.io/dockerconfigjson' ? ['.dockerconfigjson'] : []) {
    if (data[key] && !isJson(Buffer.from(data[key], 'base64').toString())) {
      errors.push(invalidValue(`data[${key}]`, '<secret contents redacted>', 'must be valid JSON'))
    }
  }
  return errors
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function validateSecretUpdate(secret: Secret, old: Secret): FieldError[] {
  const errors = immutability(secret, old, ['data'])
  if (secret.type !== old.type) errors.push(invalidValue('type', secret.type ?? '', 'field is immutable'))
  return errors
}
