/**
 * Freezes a tree of plain objects and arrays in place and returns it. A part that is frozen already is
 * taken to be frozen all the way down, so sharing parts between versions of an object costs nothing.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
