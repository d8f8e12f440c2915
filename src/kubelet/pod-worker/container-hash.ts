import type { Container } from '../../api/types/core-v1.ts'

/** Changes when the container must be replaced: name and image only (upstream: pickFieldsToHash). FNV-1a, hexadecimal. */
export function containerHash(container: Pick<Container, 'name' | 'image'>): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(JSON.stringify([container.name, container.image ?? '']))) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  }
  return hash.toString(16)
}
