// The short hashes in names and labels of ReplicaSets and ControllerRevisions.
// Upstream: ComputeHash in pkg/controller/controller_utils.go, SafeEncodeString in apimachinery's util/rand.
import type { PodTemplateSpec } from '../../api/types/core-v1.ts'
import { dumpForHash } from './go-dump.ts'

/** No vowels, and nothing that looks like another: no bad words by accident. */
const SAFE_LETTERS = 'bcdfghjklmnpqrstvwxz2456789'

/** Go's fnv.New32 and fnv.New32a, which differ in the order of their two steps. */
export function fnv32(bytes: Uint8Array, order: '1' | '1a'): number {
  let state = 0x811c9dc5
  for (const byte of bytes) {
    if (order === '1a') state = Math.imul(state ^ byte, 0x01000193)
    else state = Math.imul(state, 0x01000193) ^ byte
  }
  return state >>> 0
}

export function safeEncode(text: string): string {
  return [...Buffer.from(text)].map(byte => SAFE_LETTERS[byte % SAFE_LETTERS.length]).join('')
}

/** `collisionCount` leads to another name when the first is taken by a ReplicaSet of another template. */
export function templateHash(template: PodTemplateSpec, collisionCount?: number): string {
  const printed = Buffer.from(dumpForHash('core/v1.PodTemplateSpec', template))
  return safeEncode(String(fnv32(withCount(printed, collisionCount), '1a')))
}

/** Eight bytes, of which the first four hold the count, as upstream writes them. */
function withCount(printed: Buffer, count: number | undefined): Buffer {
  if (count === undefined) return printed
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(count)
  return Buffer.concat([printed, bytes])
}
