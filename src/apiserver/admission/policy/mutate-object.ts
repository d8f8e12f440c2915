// What one mutation of a policy makes of an object. Pure. Throws Error with the reason when it cannot be done.
// Upstream: apiserver admission/plugin/policy/mutating/patch/{smd,json_patch}.go.
import jsonPatch, { type Operation } from 'fast-json-patch'
import { compile } from '../../../api/cel/environment.ts'
import { CelMessage, jsonOf } from '../../../api/cel/message-functions.ts'
import type { KubeObject } from '../../../api/kube-object.ts'
import type { Mutation } from '../../../api/types/admissionregistration-v1.ts'
import { pathText } from '../../managed-fields/field-set.ts'
import { merge } from '../../managed-fields/merge.ts'
import { entryShape, isMap, itemsOf, type Shape } from '../../managed-fields/shape.ts'
import { toFieldSet } from '../../managed-fields/to-field-set.ts'
import type { Variables } from './variables.ts'

/** The result may share parts with the object. */
export function mutateObject(
  { patchType, applyConfiguration, jsonPatch: patch }: Mutation,
  object: KubeObject,
  shape: Shape,
  variables: Variables,
): KubeObject {
  return patchType === 'JSONPatch'
    ? patchWith(compile(patch?.expression ?? '', 'patch')(variables), object)
    : applyTo(compile(applyConfiguration?.expression ?? '', 'patch')(variables), object, shape)
}

function applyTo(made: unknown, object: KubeObject, shape: Shape): KubeObject {
  if (!(made instanceof CelMessage))
    throw new Error(`unsupported return type from ApplyConfiguration expression: ${typeof made}`)
  const { apiVersion, kind } = object
  const configuration = { apiVersion, kind, ...(jsonOf(made, 'Object') as object) }
  try {
    toFieldSet(configuration, shape)
  } catch (error) {
    throw new Error(
      `error applying patch: failed to convert patch object to typed object: ${(error as Error).message}`,
    )
  }
  const atomic = atomicsIn(configuration, shape, [])
  if (atomic.length > 0) {
    throw new Error(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`,
    )
  }
  return merge(object, configuration, shape) as KubeObject
}

/** Lists and maps that are one piece: a configuration would throw away what it does not name. */
function atomicsIn(value: unknown, shape: Shape, path: readonly string[]): string[] {
  const isWhole = shape.is === 'leaf'
  if (isMap(value)) {
    if (isWhole) return [pathText(path)]
    if (shape.is !== 'struct' && shape.is !== 'map') return []
    return Object.entries(value).flatMap(([name, inner]) => {
      const of = entryShape(shape, name)
      return of ? atomicsIn(inner, of, [...path, `f:${name}`]) : []
    })
  }
  if (!Array.isArray(value)) return []
  if (isWhole) return [pathText(path)]
  if (shape.is !== 'keyed') return []
  return [...itemsOf(value, shape)].flatMap(([element, items]) =>
    items.flatMap(item => atomicsIn(item, shape.of, [...path, element])),
  )
}

/** A test that does not hold leaves the object as it is. */
function patchWith(made: unknown, object: KubeObject): KubeObject {
  if (!Array.isArray(made)) {
    throw new Error('type mismatch: JSONPatchType.expression should evaluate to array')
  }
  const operations = made.map(operationOf)
  try {
    return jsonPatch.applyPatch(structuredClone(object), operations, true).newDocument
  } catch (error) {
    if ((error as { name?: string }).name === 'TEST_OPERATION_FAILED') return object
    throw new Error(`JSON Patch: ${(error as Error).message.split('\n')[0]}`)
  }
}

function operationOf(made: unknown): Operation {
  if (!(made instanceof CelMessage) || made.type !== 'JSONPatch') {
    throw new Error('type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch')
  }
  const { value, ...rest } = made.fields
  const isTyped = value instanceof CelMessage
  return {
    ...rest,
    ...(value !== undefined && { value: jsonOf(value, isTyped ? value.type : undefined) }),
  } as Operation
}
