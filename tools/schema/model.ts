// The Go packages put together: named types resolved to structs, scalars, lists and maps.
import type { GoExpr, GoField, GoType } from './go-source.ts'
import { readGoPackage } from './go-source.ts'
import { API_PACKAGES, type ApiPackage, SPECIAL_TYPES } from './packages.ts'

export interface Model {
  packages: { info: ApiPackage; types: Map<string, GoType> }[]
  find(pkg: string, name: string): GoType
  short(pkg: string): string
}

export type Resolved =
  | {
      is: 'scalar'
      name: 'string' | 'bool' | 'int32' | 'int64' | 'uint32' | 'uint64' | 'float64' | 'bytes'
      enum?: GoType
      named?: GoType
    }
  | { is: 'special'; name: string }
  | { is: 'struct'; type: GoType }
  | { is: 'list'; of: Resolved; named?: GoType }
  | { is: 'map'; key: Resolved; of: Resolved; named?: GoType }
  | { is: 'pointer'; of: Resolved }

export function loadModel(root: string): Model {
  const packages = API_PACKAGES.map(info => ({ info, types: readGoPackage(root, info.path) }))
  const byPath = new Map(packages.map(p => [p.info.path, p]))
  return {
    packages,
    find(pkg, name) {
      const type = byPath.get(pkg)?.types.get(name)
      if (!type) throw new Error(`no type ${pkg}.${name}`)
      return type
    },
    short: pkg => byPath.get(pkg)!.info.short,
  }
}

const SCALARS: Record<string, Resolved> = {
  string: { is: 'scalar', name: 'string' },
  bool: { is: 'scalar', name: 'bool' },
  int: { is: 'scalar', name: 'int64' },
  int32: { is: 'scalar', name: 'int32' },
  int64: { is: 'scalar', name: 'int64' },
  uint32: { is: 'scalar', name: 'uint32' },
  uint64: { is: 'scalar', name: 'uint64' },
  float64: { is: 'scalar', name: 'float64' },
}

export function resolve(model: Model, expr: GoExpr): Resolved {
  switch (expr.is) {
    case 'basic':
      if (!SCALARS[expr.name]) throw new Error(`basic type ${expr.name}`)
      return SCALARS[expr.name]!
    case 'pointer':
      return { is: 'pointer', of: resolve(model, expr.of) }
    case 'slice':
      if (expr.of.is === 'basic' && expr.of.name === 'byte') return { is: 'scalar', name: 'bytes' }
      return { is: 'list', of: resolve(model, expr.of) }
    case 'map':
      return { is: 'map', key: resolve(model, expr.key), of: resolve(model, expr.of) }
    case 'named':
      return resolveNamed(model, expr.pkg, expr.name)
  }
}

function resolveNamed(model: Model, pkg: string, name: string): Resolved {
  const special = SPECIAL_TYPES[`${pkg}.${name}`]
  if (special) return { is: 'special', name: special.name }
  if (pkg === 'k8s.io/apimachinery/pkg/types') return { is: 'scalar', name: 'string' }
  const type = model.find(pkg, name)
  if (type.fields) return { is: 'struct', type }
  const inner = resolve(model, type.underlying!)
  if (inner.is === 'scalar')
    return { ...inner, named: inner.named ?? type, ...(type.isEnum && { enum: type }) }
  if (inner.is === 'list' || inner.is === 'map') return { ...inner, named: type }
  return inner
}

/** A kind of its own: a struct with TypeMeta inlined. */
export function isRoot(type: GoType): boolean {
  return type.fields?.some(field => field.inline && field.go === 'TypeMeta') ?? false
}

/** The type's fields as JSON shows them: inline structs flattened, TypeMeta left out. */
export function jsonFields(model: Model, type: GoType): GoField[] {
  return type.fields!.flatMap(field => {
    if (!field.inline) return [field]
    if (field.go === 'TypeMeta') return []
    const inner = resolve(model, field.type)
    if (inner.is !== 'struct') throw new Error(`${type.name}.${field.go}: inline of ${inner.is}`)
    return jsonFields(model, inner.type)
  })
}

/** Whether JSON of this field is always present once Go has written the object. */
export function alwaysWritten(model: Model, field: GoField): boolean {
  if (field.omit === '') return true
  return field.omit === 'omitempty' && resolve(model, field.type).is === 'struct'
}
