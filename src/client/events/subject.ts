// What events are about, how they are called, and how they write times.
import type { ObjectReference } from '../../api/types/core-v1.ts'
import type { ObjectMeta } from '../../api/types/meta-v1.ts'

/** An object, or a reference made of one (with a fieldPath, say). */
export type EventSubject = ObjectReference | { apiVersion: string; kind: string; metadata: ObjectMeta }

/** Upstream: reference.GetReference. `fieldPath` names a part: 'spec.containers{web}'. */
export function referenceTo(subject: EventSubject, fieldPath?: string): ObjectReference {
  const reference = 'metadata' in subject ? referenceToObject(subject) : subject
  return fieldPath === undefined ? reference : { ...reference, fieldPath }
}

function referenceToObject({
  apiVersion,
  kind,
  metadata: { namespace, name, uid, resourceVersion },
}: {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}): ObjectReference {
  return {
    kind,
    ...(namespace && { namespace }),
    name,
    ...(uid && { uid }),
    apiVersion,
    ...(resourceVersion && { resourceVersion }),
  }
}

/** '<object>.<hex nanoseconds>'; a UUID where that is no valid name. Upstream: util.GenerateEventName. */
export function eventName(objectName: string, nanos: bigint): string {
  const name = `${objectName}.${nanos.toString(16)}`
  return isDnsSubdomain(name) ? name : crypto.randomUUID()
}

const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

function isDnsSubdomain(name: string): boolean {
  return name.length <= 253 && DNS_SUBDOMAIN.test(name)
}

/** metav1.Time: whole seconds. */
export function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** metav1.MicroTime: six digits of a second. */
export function microTimeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`
}

/**
 * Nanoseconds of now that never repeat, though clocks here count milliseconds only. Each counts from a place of its own
 * within the millisecond: two parts may tell of the same object in the same one.
 */
export class UniqueNanos {
  readonly #offset: bigint
  #last = 0n

  /** From 0 to below 1. */
  constructor(random: number) {
    this.#offset = BigInt(Math.floor(random * 1_000_000))
  }

  next(nowMs: number): bigint {
    const now = BigInt(Math.floor(nowMs)) * 1_000_000n + this.#offset
    this.#last = now > this.#last ? now : this.#last + 1n
    return this.#last
  }
}
