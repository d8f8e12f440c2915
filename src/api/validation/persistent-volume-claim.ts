// PersistentVolumeClaims, and the templates of them in Pods and StatefulSets. Upstream: ValidatePersistentVolumeClaim*.
import { isDns1123Label, isDns1123Subdomain, isQualifiedName } from '../names.ts'
import { Quantity } from '../quantity.ts'
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedObjectReference,
} from '../types/core-v1.ts'
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
import { goJson, internalForm } from './internal-json.ts'
import { validateLabelSelector } from './label-selector.ts'
import { validateAnnotations, validateLabels, validateObjectMetaUpdate } from './object-meta.ts'
import { isNative, parseQuantity, validateAmount } from './resource-names.ts'
import { unifiedDiff } from './unified-diff.ts'

export const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const VOLUME_MODES = ['Block', 'Filesystem']

export function validateAccessModes(modes: readonly string[], path: string): FieldError[] {
  const errors = modes
    .filter(mode => !ACCESS_MODES.includes(mode))
    .map(mode => notSupported(path, mode, ACCESS_MODES))
  const known = new Set(modes.filter(mode => ACCESS_MODES.includes(mode)))
  return known.has('ReadWriteOncePod') && known.size > 1
    ? [...errors, forbiddenField(path, 'may not use ReadWriteOncePod with other access modes')]
    : errors
}

export function validatePositiveAmount(text: string, path: string): FieldError[] {
  const amount = parseQuantity(text)
  if (!amount) return [invalidValue(path, text, 'must be a valid resource quantity')]
  return amount.sign > 0 ? [] : [invalidValue(path, amount.toString(), 'must be greater than zero')]
}

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { accessModes = [], storageClassName, volumeMode, volumeAttributesClassName } = spec
  const errors: FieldError[] = []
  if (accessModes.length === 0)
    errors.push(required(`${path}.accessModes`, 'at least 1 access mode is required'))
  errors.push(
    ...validateLabelSelector(spec.selector, `${path}.selector`),
    ...validateAccessModes(accessModes, `${path}.accessModes`),
    ...validateStorage(spec.resources?.requests?.storage, `${path}.resources[storage]`),
  )
  if (storageClassName) errors.push(...each(`${path}.storageClassName`, storageClassName, isDns1123Subdomain))
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode))
    errors.push(notSupported(`${path}.volumeMode`, volumeMode, VOLUME_MODES))
  errors.push(...validateDataSources(spec, path))
  if (volumeAttributesClassName) {
    const field = `${path}.volumeAttributesClassName`
    errors.push(...each(field, volumeAttributesClassName, isDns1123Subdomain))
  }
  return errors
}

function validateStorage(storage: string | undefined, path: string): FieldError[] {
  if (storage === undefined) return [required(path)]
  const errors = validatePositiveAmount(storage, path)
  return errors.length > 0 ? errors : validateAmount('storage', storage, path)
}

function validateDataSources(spec: PersistentVolumeClaimSpec, path: string): FieldError[] {
  const { dataSource, dataSourceRef } = spec
  const errors = [
    ...(dataSource ? validateDataSource(dataSource, `${path}.dataSource`) : []),
    ...(dataSourceRef ? validateDataSource(dataSourceRef, `${path}.dataSourceRef`) : []),
  ]
  if (!dataSource || !dataSourceRef) return errors
  // Upstream shows the path in place of the value.
  const shown = {}
  if (dataSourceRef.namespace) {
    const detail = 'may not be specified when dataSourceRef.namespace is specified'
    errors.push(invalidValue(path, shown, detail))
  } else if (
    dataSource.apiGroup !== dataSourceRef.apiGroup ||
    dataSource.kind !== dataSourceRef.kind ||
    dataSource.name !== dataSourceRef.name
  )
    errors.push(invalidValue(path, shown, 'must match dataSourceRef'))
  return errors
}

function validateDataSource(source: TypedObjectReference, path: string): FieldError[] {
  const errors: FieldError[] = source.name ? [] : [required(`${path}.name`)]
  if (!source.kind) errors.push(required(`${path}.kind`))
  if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
    errors.push(invalidValue(path, source.kind, detail))
  }
  if (source.apiGroup) errors.push(...each(`${path}.apiGroup`, source.apiGroup, isDns1123Subdomain))
  if (source.namespace) errors.push(...each(`${path}.namespace`, source.namespace, isDns1123Label))
  return errors
}

const TEMPLATE_META = new Set(['annotations', 'labels', 'creationTimestamp'])

/** Upstream: ValidatePersistentVolumeClaimTemplate. */
export function validateClaimTemplate(template: PersistentVolumeClaimTemplate, path: string): FieldError[] {
  const meta = template.metadata ?? {}
  const at = `${path}.metadata`
  return [
    ...validateAnnotations(meta.annotations, `${at}.annotations`),
    ...validateLabels(meta.labels, `${at}.labels`),
    ...Object.entries(meta)
      .filter(([name, value]) => !TEMPLATE_META.has(name) && value !== undefined && value !== '')
      .map(([name]) => forbiddenField(`${at}.${name}`, 'cannot be set')),
    ...validateClaimSpec(template.spec, `${path}.spec`),
  ]
}

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class'
const FIXED_SPEC =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

export function validateClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors = [
    ...validateObjectMetaUpdate(claim.metadata, old.metadata),
    ...validateClaimSpec(claim.spec, 'spec'),
  ]
  const annotation = (of: PersistentVolumeClaim) => of.metadata.annotations?.[BETA_CLASS] ?? ''
  errors.push(...immutable(`metadata.annotations.${BETA_CLASS}`, annotation(claim), annotation(old)))
  const expected = { ...old.spec, ...(old.spec.volumeName ? {} : { volumeName: claim.spec.volumeName }) }
  const wanted = withMutableFieldsOf(claim, old)
  if (!same(wanted, expected)) {
    errors.push(forbiddenField('spec', `${FIXED_SPEC}\n${specDiff(expected, wanted)}`))
  }
  return [
    ...errors,
    ...sizeErrors(claim, old),
    ...immutable('volumeMode', claim.spec.volumeMode, old.spec.volumeMode),
    ...attributesClassErrors(claim, old),
  ]
}

/** The new spec with what may change taken from the old one. */
function withMutableFieldsOf(claim: PersistentVolumeClaim, old: PersistentVolumeClaim) {
  const spec = structuredClone(claim.spec)
  if (old.spec.storageClassName === undefined) {
    const before = old.metadata.annotations?.[BETA_CLASS]
    if (before === undefined || spec.storageClassName === before) delete spec.storageClassName
  }
  if (claim.status?.phase !== 'Bound') return spec
  const storage = old.spec.resources?.requests?.storage
  if (spec.resources?.requests && storage !== undefined) spec.resources.requests.storage = storage
  if (old.spec.volumeAttributesClassName === undefined) delete spec.volumeAttributesClassName
  else spec.volumeAttributesClassName = old.spec.volumeAttributesClassName
  return spec
}

const specDiff = (before: object, after: object): string => {
  const text = (spec: object) =>
    goJson(internalForm('core/v1.PersistentVolumeClaimSpec', spec as Record<string, unknown>), 1)
  return unifiedDiff(text(before), text(after))
}

function sizeErrors(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const size = (text: string | undefined) => (text && parseQuantity(text)) || Quantity.zero
  const wanted = size(claim.spec.resources?.requests?.storage)
  if (wanted.compare(size(old.spec.resources?.requests?.storage)) >= 0) return []
  return wanted.compare(size(old.status?.capacity?.storage)) <= 0
    ? [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')]
    : []
}

function attributesClassErrors(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const [now, before] = [claim.spec.volumeAttributesClassName, old.spec.volumeAttributesClassName]
  if (now === before || old.status?.currentVolumeAttributesClassName === undefined || now) return []
  const to = now === undefined ? 'nil' : 'empty string'
  const detail = `update to ${to} is forbidden when status.currentVolumeAttributesClassName is not nil`
  return [forbiddenField('spec.volumeAttributesClassName', detail)]
}

const RESIZE_STATES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
].toSorted()

export function validateClaimStatusUpdate(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): FieldError[] {
  const errors = validateObjectMetaUpdate(claim.metadata, old.metadata)
  const status = claim.status ?? {}
  if ((claim.spec.accessModes ?? []).length === 0) errors.push(required('Spec.accessModes'))
  for (const [name, text] of Object.entries(status.capacity ?? {})) {
    const amount = parseQuantity(text)?.value()
    if (amount === undefined || amount < 0)
      errors.push(
        invalidValue(`status.capacity[${name}]`, amount ?? text, 'must be a valid resource quantity'),
      )
  }
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    const at = 'status.allocatedResourceStatuses'
    errors.push(...validateResourceKey(name, at))
    if (!RESIZE_STATES.includes(state)) errors.push(notSupported(at, name, RESIZE_STATES))
  }
  for (const [name, text] of Object.entries(status.allocatedResources ?? {})) {
    const at = 'status.allocatedResources'
    const bad = validateResourceKey(name, at)
    errors.push(...(bad.length > 0 ? bad : validateAmount('storage', text, `${at}[${name}]`)))
  }
  return errors
}

function validateResourceKey(name: string, path: string): FieldError[] {
  const bad = each(path, name, isQualifiedName)
  if (bad.length > 0 || !isNative(name) || name === 'storage') return bad
  return [notSupported(path, name, ['storage'])]
}
