// Lists of devices' fields: how long they may be, and that nothing is in them twice.
// Upstream: pkg/apis/resource/validation validateSlice, validateSet, validateMap.
import { duplicate, type FieldError, tooMany } from '../field-error.ts'

/** Of a list that is too long nothing else is told. */
export function list<T>(
  members: readonly T[] | undefined,
  path: string,
  most: number,
  check: (member: T, at: string) => FieldError[],
): FieldError[] {
  const count = members?.length ?? 0
  if (count > most) return [tooMany(path, count, most)]
  return (members ?? []).flatMap((member, index) => check(member, `${path}[${index}]`))
}

export function unique(names: readonly string[], path: string): FieldError[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) < index ? [duplicate(`${path}[${index}]`, name)] : [],
  )
}

/** A list whose members have names of their own. */
export function set<T>(
  members: readonly T[] | undefined,
  path: string,
  most: number,
  check: (member: T, at: string) => FieldError[],
  nameOf: (member: T) => string,
): FieldError[] {
  const errors = list(members, path, most, check)
  return (members?.length ?? 0) > most ? errors : [...errors, ...unique((members ?? []).map(nameOf), path)]
}

/** The names are told with the path of the whole, the members with their own. */
export function entries<T>(
  members: Readonly<Record<string, T>> | undefined,
  path: string,
  most: number,
  checkName: (name: string, at: string) => FieldError[],
  check: (member: T, at: string) => FieldError[],
): FieldError[] {
  const all = Object.entries(members ?? {})
  if (all.length > most) return [tooMany(path, all.length, most)]
  return all.flatMap(([name, member]) => [
    ...checkName(name, path),
    ...check(member, `${path}[${shortened(name)}]`),
  ])
}

/** Longer than any valid name. Upstream: attributeAndCapacityMaxKeyLength, truncateIfTooLong. */
const LONGEST_SHOWN = 96

function shortened(name: string): string {
  if (name.length <= LONGEST_SHOWN) return name
  const rest = LONGEST_SHOWN - 3
  return `${name.slice(0, Math.ceil(rest / 2))}...${name.slice(name.length - Math.floor(rest / 2))}`
}
