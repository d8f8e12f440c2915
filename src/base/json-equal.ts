/** Whether two JSON values are the same, whatever the order of keys. A field that is undefined is no field. */
export function jsonEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (!Array.isArray(left)) return !Array.isArray(right) && sameFields(left as Fields, right as Fields)
  if (!Array.isArray(right) || left.length !== right.length) return false
  return left.every((item, index) => jsonEqual(item, right[index]))
}

type Fields = Record<string, unknown>

function sameFields(left: Fields, right: Fields): boolean {
  for (const key in left) if (!jsonEqual(left[key], right[key])) return false
  for (const key in right) if (left[key] === undefined && right[key] !== undefined) return false
  return true
}
