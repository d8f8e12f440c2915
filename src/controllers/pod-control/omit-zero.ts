/** Go leaves out what is zero. */
export function omitZero<K extends string>(field: K, value: number): Partial<Record<K, number>> {
  return value === 0 ? {} : ({ [field]: value } as Record<K, number>)
}
