// The texts of Go's json package for values of the wrong type.
import type { ValueType } from './type-facts.ts'

/** json.UnmarshalTypeError. `fields` is the path without indexes and map keys, `struct` the innermost struct. */
export class FieldTypeError extends Error {
  constructor(what: string, place: { fields: string; struct: string }, type: string) {
    const where = place.struct ? `Go struct field ${place.struct}.${place.fields}` : 'Go value'
    super(`json: cannot unmarshal ${what} into ${where} of type ${type}`)
  }
}

const SPECIAL_PACKAGES: Record<string, string> = {
  Quantity: 'resource.Quantity',
  IntOrString: 'intstr.IntOrString',
  RawExtension: 'runtime.RawExtension',
}

/** 'core/v1.Container' is v1.Container. */
const goName = (name: string) => name.slice(name.indexOf('/') + 1)

/** As reflect.Type prints it; pointers at the outside are those that decoding has already followed. */
export function goTypeName(type: ValueType, inside = false): string {
  const star = inside && type.pointer ? '*' : ''
  if (type.named) return star + goName(type.named)
  switch (type.is) {
    case 'scalar':
      return star + (type.scalar === 'bytes' ? '[]uint8' : type.scalar)
    case 'special':
      return star + (SPECIAL_PACKAGES[type.special] ?? `v1.${type.special}`)
    case 'struct':
      return star + goName(type.type)
    case 'list':
      return `[]${goTypeName(type.of, true)}`
    case 'map':
      return `map[string]${goTypeName(type.of, true)}`
  }
}

/** The offset that Go reports for text that is not standard base64 with padding; undefined for good text. */
export function badBase64(text: string): number | undefined {
  const found = /[^A-Za-z0-9+/=\r\n]/.exec(text)
  if (found) return found.index
  const bare = text.replace(/[\r\n]/g, '')
  const data = bare.replace(/={0,2}$/, '')
  if (data.includes('=')) return data.indexOf('=')
  return bare.length % 4 === 0 ? undefined : bare.length
}
