// metadata of every object. Upstream: apimachinery pkg/api/validation/objectmeta.go.
import { isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName } from '../names.ts'
import type { ObjectMeta } from '../types/meta-v1.ts'
import { each, type FieldError, forbiddenField, invalidValue, required, tooLong } from './field-error.ts'

const ANNOTATIONS_BYTES = 256 * 1024

export interface MetaRules {
  namespaced: boolean
  /** What names of this kind look like. Default: a DNS-1123 subdomain. */
  name?: (name: string) => string[]
}

export function validateObjectMeta(meta: ObjectMeta, rules: MetaRules, path = 'metadata'): FieldError[] {
  const check = rules.name ?? isDns1123Subdomain
  const errors: FieldError[] = []
  if (meta.generateName)
    errors.push(
      ...each(`${path}.generateName`, maskTail(meta.generateName), check).map(shown(meta.generateName)),
    )
  if (!meta.name) errors.push(required(`${path}.name`, 'name or generateName is required'))
  else errors.push(...each(`${path}.name`, meta.name, check))
  if (rules.namespaced) {
    if (!meta.namespace) errors.push(required(`${path}.namespace`))
    else errors.push(...each(`${path}.namespace`, meta.namespace, isDns1123Label))
  } else if (meta.namespace) {
    errors.push(forbiddenField(`${path}.namespace`, 'not allowed on this type'))
  }
  if ((meta.generation ?? 0) < 0)
    errors.push(invalidValue(`${path}.generation`, meta.generation, 'must be greater than or equal to 0'))
  return [
    ...errors,
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwners(meta, path),
    ...(meta.finalizers ?? []).flatMap((name, index) =>
      validateFinalizer(name, `${path}.finalizers[${index}]`),
    ),
  ]
}

/** A prefix may end in what a whole name may not. Upstream: maskTrailingDash. */
const maskTail = (prefix: string) =>
  prefix.endsWith('-') && prefix.length > 1 ? `${prefix.slice(0, -1)}a` : prefix

const shown =
  (value: string) =>
  (error: FieldError): FieldError => {
    const detail = error.message.slice(error.message.indexOf(': ', 'Invalid value: '.length) + 2)
    return invalidValue(error.field, value, detail)
  }

export function validateLabels(labels: Record<string, string> | undefined, path: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...each(path, key, isQualifiedName),
    ...each(path, value, isLabelValue),
  ])
}

export function validateAnnotations(
  annotations: Record<string, string> | undefined,
  path: string,
): FieldError[] {
  let size = 0
  const errors: FieldError[] = []
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const detail of isQualifiedName(key.toLowerCase())) errors.push(invalidValue(path, key, detail))
    size += key.length + Buffer.byteLength(value)
  }
  if (size > ANNOTATIONS_BYTES) errors.push(tooLong(path, ANNOTATIONS_BYTES))
  return errors
}

function validateOwners({ ownerReferences = [] }: ObjectMeta, path: string): FieldError[] {
  const errors: FieldError[] = []
  let controller: string | undefined
  for (const owner of ownerReferences) {
    const field = `${path}.ownerReferences`
    if (!owner.apiVersion)
      errors.push(invalidValue(`${field}.apiVersion`, owner.apiVersion, 'version must not be empty'))
    if (!owner.kind) errors.push(invalidValue(`${field}.kind`, owner.kind, 'must not be empty'))
    if (!owner.name) errors.push(invalidValue(`${field}.name`, owner.name, 'must not be empty'))
    if (!owner.uid) errors.push(invalidValue(`${field}.uid`, owner.uid, 'must not be empty'))
    if (!owner.controller) continue
    if (controller !== undefined) {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${owner.name}`
      errors.push(invalidValue(field, ownerReferences, detail))
    } else controller = owner.name
  }
  return errors
}

const STANDARD_FINALIZERS = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

export function validateFinalizer(name: string, path: string): FieldError[] {
  const errors = each(path, name, isQualifiedName)
  if (errors.length === 0 && !name.includes('/') && !STANDARD_FINALIZERS.has(name)) {
    errors.push(
      invalidValue(path, name, 'name is neither a standard finalizer name nor is it fully qualified'),
    )
  }
  return errors
}

const FIXED = ['name', 'namespace', 'uid', 'creationTimestamp'] as const

/** What may not change once the object is there. Upstream: ValidateObjectMetaAccessorUpdate. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path = 'metadata'): FieldError[] {
  const errors: FieldError[] = []
  if (old.deletionTimestamp) {
    const added = (meta.finalizers ?? []).filter(name => !(old.finalizers ?? []).includes(name))
    if (added.length > 0) {
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${goStrings(added)}`
      errors.push(forbiddenField(`${path}.finalizers`, detail))
    }
  }
  for (const field of FIXED) {
    if (meta[field] !== old[field])
      errors.push(invalidValue(`${path}.${field}`, meta[field] ?? '', 'field is immutable'))
  }
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds'] as const) {
    if (meta[field] !== old[field])
      errors.push(invalidValue(`${path}.${field}`, meta[field], 'field is immutable'))
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalidValue(`${path}.generation`, meta.generation, 'must not be decremented'))
  }
  return [
    ...errors,
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwners(meta, path),
  ]
}

/** []string{"a", "b"}: Go's %#v of a list of strings. */
const goStrings = (list: readonly string[]) =>
  `[]string{${list.map(text => JSON.stringify(text)).join(', ')}}`
