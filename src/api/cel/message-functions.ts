// What expressions of mutating policies are made of: `Object{…}`, `JSONPatch{…}` and jsonpatch.escapeKey.
// Upstream: apiserver pkg/cel/mutation and pkg/cel/library/jsonpatch.go.
import { type Environment, Optional } from '@marcbachmann/cel-js'
import { MESSAGE_FUNCTION } from './message-literals.ts'

export const MESSAGE_TYPE = 'kubernetes.Message'

/** A value that an expression named the type of. */
export class CelMessage {
  /** 'Object.spec.template', 'JSONPatch'. */
  readonly type: string
  readonly fields: Readonly<Record<string, unknown>>

  constructor(type: string, fields: Readonly<Record<string, unknown>>) {
    this.type = type
    this.fields = fields
  }
}

/** `jsonpatch` in expressions is one of these. */
class CelJsonPatches {}

const JSON_PATCH_FIELDS = new Set(['op', 'path', 'from', 'value'])

export function registerMessages(environment: Environment): void {
  environment
    .registerType(MESSAGE_TYPE, CelMessage)
    .registerType('kubernetes.JSONPatches', CelJsonPatches)
    .registerFunction(`${MESSAGE_FUNCTION}(string, map): ${MESSAGE_TYPE}`, makeMessage)
    .registerConstant('jsonpatch', 'kubernetes.JSONPatches', new CelJsonPatches())
    .registerFunction('kubernetes.JSONPatches.escapeKey(string): string', (_: CelJsonPatches, key: string) =>
      key.replaceAll('~', '~0').replaceAll('/', '~1'),
    )
}

function makeMessage(type: string, given: Record<string, unknown>): CelMessage {
  if (type !== 'JSONPatch' && type !== 'Object' && !type.startsWith('Object.')) {
    throw new Error(`undeclared reference to '${type}' (in container '')`)
  }
  const fields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const field = name.startsWith('?') ? name.slice(1) : name
    if (type === 'JSONPatch' && !JSON_PATCH_FIELDS.has(field)) throw new Error(`undefined field '${field}'`)
    if (field === name) fields[field] = value
    else if (value instanceof Optional && value.hasValue()) fields[field] = value.value()
  }
  return new CelMessage(type, fields)
}

/**
 * A CEL value as JSON has it. Throws Error for one that JSON has not. With `path`: objects below must be of the types
 * that their places say (upstream: ObjectVal.CheckTypeNamesMatchFieldPathNames).
 */
export function jsonOf(value: unknown, path?: string): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof CelMessage) return messageJson(value, path)
  if (Array.isArray(value)) return value.map(item => jsonOf(item, path))
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value !== 'object' || value === null) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return String(value)
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, jsonOf(inner, path)]))
}

function messageJson({ type, fields }: CelMessage, path: string | undefined): Record<string, unknown> {
  if (path !== undefined && type !== path) {
    throw new Error(
      `type mismatch: unexpected type name ${JSON.stringify(type)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`,
    )
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, jsonOf(value, path && `${path}.${name}`)]),
  )
}
