// metadata of every object. Upstream: apimachinery pkg/api/validation/objectmeta.go, with core's ValidateObjectMeta.
import { isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName } from '../names.ts'
import type { ObjectMeta, OwnerReference } from '../types/meta-v1.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  immutable,
  invalidValue,
  nonNegative,
  required,
  tooLong,
} from './field-error.ts'

const ANNOTATIONS_BYTES = 256 * 1024

export interface MetaRules {
  namespaced: boolean
  /** What names of this kind look like. Default: a DNS-1123 subdomain. */
  name?: (name: string) => string[]
  /** 'any': finalizers need no domain. Upstream asks for one in its own API groups only. */
  finalizers?: 'any'
}

export function validateObjectMeta(meta: ObjectMeta, rules: MetaRules, path = 'metadata'): FieldError[] {
  const check = rules.name ?? isDns1123Subdomain
  const errors: FieldError[] = []
  if (meta.generateName) {
    const { generateName } = meta
    errors.push(
      ...check(maskTail(generateName)).map(detail =>
        invalidValue(`${path}.generateName`, generateName, detail),
      ),
    )
  }
  if (!meta.name) errors.push(required(`${path}.name`, 'name or generateName is required'))
  else errors.push(...each(`${path}.name`, meta.name, check))
  if (rules.namespaced) {
    if (!meta.namespace) errors.push(required(`${path}.namespace`))
    else errors.push(...each(`${path}.namespace`, meta.namespace, isDns1123Label))
  } else if (meta.namespace) {
    errors.push(forbiddenField(`${path}.namespace`, 'not allowed on this type'))
  }
  return [
    ...errors,
    ...nonNegative(`${path}.generation`, meta.generation),
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwners(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...validateFinalizers(meta.finalizers ?? [], `${path}.finalizers`, rules.finalizers === 'any'),
  ]
}

/** A prefix may end in what a whole name may not. Upstream: maskTrailingDash. */
export const maskTail = (prefix: string): string =>
  prefix.endsWith('-') && prefix.length > 1 ? `${prefix.slice(0, -2)}a` : prefix

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
    size += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (size > ANNOTATIONS_BYTES) errors.push(tooLong(path, ANNOTATIONS_BYTES))
  return errors
}

function validateOwners(owners: readonly OwnerReference[], path: string): FieldError[] {
  const errors: FieldError[] = []
  let controller: string | undefined
  for (const owner of owners) {
    errors.push(...validateOwner(owner, path))
    if (!owner.controller) continue
    const name = `${owner.kind}/${owner.name}`
    if (controller !== undefined) {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${name}`
      errors.push(invalidValue(path, owners, detail))
    } else controller = name
  }
  return errors
}

function validateOwner(owner: OwnerReference, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (!owner.apiVersion || owner.apiVersion.endsWith('/'))
    errors.push(invalidValue(`${path}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'))
  for (const field of ['kind', 'name', 'uid'] as const) {
    if (!owner[field]) errors.push(invalidValue(`${path}.${field}`, owner[field] ?? '', 'must not be empty'))
  }
  if (owner.apiVersion === 'v1' && owner.kind === 'Event')
    errors.push(invalidValue(path, owner, '/v1, Kind=Event is disallowed from being an owner'))
  return errors
}

const STANDARD_FINALIZERS = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

function validateFinalizers(names: readonly string[], path: string, isAny: boolean): FieldError[] {
  const errors = names.flatMap(name => each(path, name, isQualifiedName))
  if (names.includes('orphan') && names.includes('foregroundDeletion')) {
    const detail = 'finalizer orphan and foregroundDeletion cannot be both set'
    errors.push(invalidValue(path, names, detail))
  }
  if (isAny) return errors
  return [...errors, ...names.flatMap((name, index) => standardFinalizer(name, `${path}[${index}]`))]
}

/** Upstream: validateKubeFinalizerName. */
function standardFinalizer(name: string, path: string): FieldError[] {
  if (name.includes('/') || STANDARD_FINALIZERS.has(name)) return []
  return [invalidValue(path, name, 'name is neither a standard finalizer name nor is it fully qualified')]
}

/** Finalizers of a Namespace's spec. Upstream: validateFinalizerName. */
export function validateFinalizer(name: string, path: string): FieldError[] {
  return [...each(path, name, isQualifiedName), ...standardFinalizer(name, path)]
}

const FIXED = ['name', 'namespace', 'uid', 'creationTimestamp'] as const
const FIXED_POINTERS = ['deletionTimestamp', 'deletionGracePeriodSeconds'] as const

/** What may not change once the object is there. Upstream: ValidateObjectMetaAccessorUpdate. */
export function validateObjectMetaUpdate(
  meta: ObjectMeta,
  old: ObjectMeta,
  path = 'metadata',
  finalizers: MetaRules['finalizers'] = undefined,
): FieldError[] {
  const errors: FieldError[] = []
  if (old.deletionTimestamp) {
    const before = old.finalizers ?? []
    const added = (meta.finalizers ?? []).filter(name => !before.includes(name)).toSorted()
    if (added.length > 0) {
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${goStrings(added)}`
      errors.push(forbiddenField(`${path}.finalizers`, detail))
    }
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalidValue(`${path}.generation`, meta.generation ?? 0, 'must not be decremented'))
  }
  for (const field of FIXED)
    errors.push(...immutable(`${path}.${field}`, meta[field] ?? '', old[field] ?? ''))
  for (const field of FIXED_POINTERS) errors.push(...immutable(`${path}.${field}`, meta[field], old[field]))
  return [
    ...errors,
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwners(meta.ownerReferences ?? [], `${path}.ownerReferences`),
    ...(finalizers === 'any' ? [] : (meta.finalizers ?? [])).flatMap((name, index) =>
      standardFinalizer(name, `${path}.finalizers[${index}]`),
    ),
  ]
}

/** []string{"a", "b"}: Go's %#v of a list of strings. */
const goStrings = (list: readonly string[]) =>
  `[]string{${list.map(text => JSON.stringify(text)).join(', ')}}`
