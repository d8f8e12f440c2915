// Kubernetes' own merge: lists of objects merge by key where the type says so, and directives ($patch, $retainKeys,
// $setElementOrder/…, $deleteFromPrimitiveList/…) steer it. Upstream: apimachinery util/strategicpatch/patch.go.
import { type FieldFacts, type TypeFacts, typeOf, type ValueType } from '../../api/schema/type-facts.ts'
import { badRequest } from '../../api/status-error.ts'
import { type Identity, orderElements } from './element-order.ts'
import { isMap } from './merge-patch.ts'

const PATCH = '$patch'
const RETAIN_KEYS = '$retainKeys'
const SET_ELEMENT_ORDER = '$setElementOrder/'
const DELETE_FROM_PRIMITIVE_LIST = '$deleteFromPrimitiveList/'

type Fields = Record<string, unknown>

/** `type`: facts of the object's kind. Neither argument is changed. Throws BadRequest for a patch that is malformed. */
export function applyStrategicMergePatch(target: Fields, patch: unknown, type: TypeFacts): Fields {
  if (!isMap(patch)) throw badRequest('unable to unmarshal patch: the patch is not an object')
  return mergeMap(target, patch, type)
}

/** `type` is undefined within maps and free-form values, where plain merging applies. */
function mergeMap(original: Fields, patch: Fields, type: TypeFacts | undefined): Fields {
  const directive = patch[PATCH]
  if (directive === 'replace') return withoutDirectives({ ...patch, [PATCH]: undefined }) as Fields
  if (directive === 'delete') return {}
  if (directive !== undefined && directive !== 'merge')
    throw badPatch(`unknown patch type: ${String(directive)} in map`)
  const result = retainKeys(original, patch)
  for (const key of Object.keys(patch)) {
    if (key.startsWith(DELETE_FROM_PRIMITIVE_LIST))
      deleteScalars(result, key.slice(DELETE_FROM_PRIMITIVE_LIST.length), patch[key])
  }
  for (const [key, value] of Object.entries(patch)) {
    if (!key.startsWith('$')) mergeField(result, key, value, type?.byName.get(key))
  }
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(SET_ELEMENT_ORDER)) continue
    const field = key.slice(SET_ELEMENT_ORDER.length)
    setElementOrder(result, field, patch[key], original[field], type?.byName.get(field))
  }
  return result
}

function retainKeys(original: Fields, patch: Fields): Fields {
  const kept = patch[RETAIN_KEYS]
  if (kept === undefined) return { ...original }
  if (!Array.isArray(kept)) throw badPatch('invalid patch format of retainKeys')
  for (const key of Object.keys(patch)) {
    if (!key.startsWith('$') && patch[key] !== null && !kept.includes(key))
      throw badPatch('invalid patch format of retainKeys')
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.includes(key)))
}

function deleteScalars(result: Fields, field: string, values: unknown): void {
  if (!Array.isArray(values)) throw badPatch('invalid patch format of primitive list')
  const list = result[field]
  if (Array.isArray(list)) result[field] = list.filter(element => !values.includes(element))
}

function mergeField(result: Fields, key: string, value: unknown, field: FieldFacts | undefined): void {
  if (value === null) {
    delete result[key]
    return
  }
  const present = result[key]
  if (isMap(value)) {
    const replaces = !isMap(present) || field?.patchStrategy.includes('replace')
    const type = field && structOf(field.type)
    result[key] = replaces
      ? isMap(present)
        ? withoutDirectives(value)
        : newMap(value, type)
      : mergeMap(present, value, type)
  } else if (Array.isArray(value) && field?.patchStrategy.includes('merge')) {
    result[key] = mergeList(Array.isArray(present) ? present : [], value, field)
  } else {
    result[key] = withoutDirectives(value)
  }
}

/** A map that was not there before: only what remains of the patch's directives and nulls. */
function newMap(value: Fields, type: TypeFacts | undefined): Fields {
  return value[PATCH] === 'delete'
    ? {}
    : mergeMap({}, { ...value, ...(value[PATCH] !== undefined && { [PATCH]: 'merge' }) }, type)
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], field: FieldFacts): unknown[] {
  const element = field.type.is === 'list' ? structOf(field.type.of) : undefined
  if (!patch.some(isMap) && !original.some(isMap)) {
    const merged = [...new Set([...original, ...patch])]
    return orderElements(merged, patch, original, scalar => scalar)
  }
  const mergeKey = field.patchMergeKey
  if (!mergeKey) throw badPatch(`the field ${field.name} has no merge key`)
  return mergeObjects(original, patch, mergeKey, element)
}

function mergeObjects(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
  type: TypeFacts | undefined,
): unknown[] {
  const items = patch.map(item => {
    if (isMap(item)) return item
    throw badPatch(`expected a map in the list, got ${JSON.stringify(item)}`)
  })
  const replaces = items.some(item => item[PATCH] === 'replace')
  const plain = items.filter(item => item[PATCH] === undefined || item[PATCH] === 'merge')
  if (replaces) return plain.map(item => withoutDirectives(item))
  const removed = new Set(items.filter(item => item[PATCH] === 'delete').map(item => keyOf(item, mergeKey)))
  checkDirectives(items)
  const identity: Identity = element => (isMap(element) ? element[mergeKey] : undefined)
  const merged = original.filter(element => !removed.has(identity(element)))
  for (const item of plain) {
    const key = keyOf(item, mergeKey)
    const at = merged.findIndex(element => identity(element) === key)
    if (at < 0) merged.push(newMap(item, type))
    else merged[at] = mergeMap(merged[at] as Fields, item, type)
  }
  return orderElements(merged, plain, original, identity)
}

function checkDirectives(items: readonly Fields[]): void {
  for (const item of items) {
    const directive = item[PATCH]
    if (directive !== undefined && directive !== 'delete' && directive !== 'merge') {
      throw badPatch(`unknown patch type: ${String(directive)} in list`)
    }
  }
}

function keyOf(item: Fields, mergeKey: string): unknown {
  const value = item[mergeKey]
  if (value === undefined || value === null) {
    throw badPatch(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`)
  }
  return value
}

function setElementOrder(
  result: Fields,
  name: string,
  order: unknown,
  original: unknown,
  field: FieldFacts | undefined,
): void {
  if (!Array.isArray(order)) throw badPatch('invalid patch format of setElementOrder list')
  const list = result[name]
  if (!Array.isArray(list)) return
  const mergeKey = field?.patchMergeKey
  const identity: Identity = element => (mergeKey && isMap(element) ? element[mergeKey] : element)
  result[name] = orderElements(list, order, Array.isArray(original) ? original : [], identity)
}

/** Nulls and directives mean nothing where there was nothing before. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives)
  if (!isMap(value)) return value
  const result: Fields = {}
  for (const [key, item] of Object.entries(value)) {
    const isDirective =
      key === PATCH ||
      key === RETAIN_KEYS ||
      key.startsWith('$setElementOrder/') ||
      key.startsWith(DELETE_FROM_PRIMITIVE_LIST)
    if (!isDirective && item !== null && item !== undefined) result[key] = withoutDirectives(item)
  }
  return result
}

function structOf(type: ValueType): TypeFacts | undefined {
  return type.is === 'struct' ? typeOf(type.type) : undefined
}

const badPatch = badRequest
