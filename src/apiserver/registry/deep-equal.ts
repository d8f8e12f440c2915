/**
 * Whether two JSON values are the same, whatever the order of keys. A missing field equals undefined and an
 * empty list, as apimachinery's Semantic.DeepEqual has it.
 */
export function deepEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (isAbsent(left) && isAbsent(right)) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  return Array.isArray(left)
    ? arraysEqual(left, right as unknown[])
    : objectsEqual(left as Record<string, unknown>, right as Record<string, unknown>)
}

function isAbsent(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0)
}

function arraysEqual(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((item, index) => deepEqual(item, right[index]))
}

function objectsEqual(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  for (const key in left) if (!deepEqual(left[key], right[key])) return false
  for (const key in right) if (!(key in left) && !isAbsent(right[key])) return false
  return true
}
