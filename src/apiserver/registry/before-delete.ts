// What a delete request means for an object, before anything is written. Pure.
// Upstream: rest/delete.go BeforeDelete and generic/registry/store.go deletionFinalizersForGarbageCollection.
import type { KubeObject } from '../../api/kube-object.ts'
import type { DeleteOptions } from '../../api/request.ts'
import { conflict, invalid } from '../../api/status-error.ts'
import { formatTime } from './object-time.ts'
import type { Strategy } from './strategy.ts'

export const ORPHAN_FINALIZER = 'orphan'
export const FOREGROUND_FINALIZER = 'foregroundDeletion'

export type DeleteStep =
  /** The object is terminating already, with no more grace than asked for: nothing changes. */
  | { do: 'nothing' }
  /** `object` (a draft) is written and stays until its grace is over and its finalizers are gone. */
  | { do: 'mark'; object: KubeObject }
  /** Removed now. `object` is written first when there is one, so that watchers learn of the deletion's terms. */
  | { do: 'remove'; object?: KubeObject }

/** `old` is frozen and never changed. Throws Invalid and Conflict. */
export function decideDelete(
  strategy: Strategy,
  old: KubeObject,
  requested: DeleteOptions,
  what: { group: string; resource: string },
  now: number,
): DeleteStep {
  checkDeleteOptions(requested)
  checkPreconditions(old, requested, what)
  const options = { ...requested }
  if (options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0)
    options.gracePeriodSeconds = 1
  const object: KubeObject = { ...old, metadata: { ...old.metadata } }
  const grace = applyGrace(strategy, object, options, now)
  const finalizersChanged = applyGarbageCollection(strategy, object, options)
  if (grace === 'pending' && !finalizersChanged) return { do: 'nothing' }
  const held = (object.metadata.finalizers?.length ?? 0) > 0 || strategy.holdsDeletion?.(object) === true
  if (grace === 'none' && held) markAsDeleting(object, now)
  if (held) strategy.markDeleting?.(object)
  const graceLeft = grace !== 'none' && (object.metadata.deletionGracePeriodSeconds ?? 0) > 0
  if (held || graceLeft) return { do: 'mark', object }
  return grace === 'given' && !old.metadata.deletionTimestamp ? { do: 'remove', object } : { do: 'remove' }
}

/** metav1 validation.ValidateDeleteOptions. */
function checkDeleteOptions(options: DeleteOptions): void {
  const errors = []
  if (options.orphanDependents !== undefined && options.propagationPolicy !== undefined) {
    errors.push({
      reason: 'FieldValueInvalid',
      field: 'propagationPolicy',
      message: `Invalid value: ${JSON.stringify(options.propagationPolicy)}: orphanDependents and deletionPropagation cannot be both set`,
    })
  }
  const { propagationPolicy } = options
  if (
    propagationPolicy !== undefined &&
    !['Foreground', 'Background', 'Orphan'].includes(propagationPolicy)
  ) {
    errors.push({
      reason: 'FieldValueNotSupported',
      field: 'propagationPolicy',
      message: `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    })
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors)
}

function checkPreconditions(
  { metadata }: KubeObject,
  { preconditions = {} }: DeleteOptions,
  what: { group: string; resource: string },
): void {
  const { uid, resourceVersion } = preconditions
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(
      what,
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      what,
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
  }
}

/**
 * given: the draft now carries the grace of this request. pending: a deletion with no more grace runs already.
 * none: the resource knows no grace, or it is used up.
 */
function applyGrace(
  strategy: Strategy,
  object: KubeObject,
  options: DeleteOptions,
  now: number,
): 'given' | 'pending' | 'none' {
  const { metadata } = object
  if (!strategy.checkGracefulDelete) return 'none'
  if (metadata.deletionTimestamp) return shortenGrace(object, options, now)
  if (!strategy.checkGracefulDelete(object, options)) return 'none'
  const seconds = options.gracePeriodSeconds ?? 0
  metadata.deletionTimestamp = formatTime(now + seconds * 1000)
  metadata.deletionGracePeriodSeconds = seconds
  if (metadata.generation) metadata.generation++
  return 'given'
}

/** A repeated delete may only shorten the grace, and never moves the end into the past. */
function shortenGrace(
  { metadata }: KubeObject,
  options: DeleteOptions,
  now: number,
): 'given' | 'pending' | 'none' {
  const current = Math.max(metadata.deletionGracePeriodSeconds ?? 0, 0)
  if (current === 0) return 'none'
  const wanted = options.gracePeriodSeconds
  if (wanted === undefined || wanted >= current) return 'pending'
  const begun = Date.parse(metadata.deletionTimestamp as string) - current * 1000
  const end = begun + wanted * 1000
  // A non-zero request whose time is over already leaves the node one second.
  const past = wanted > 0 && end < now
  metadata.deletionTimestamp = formatTime(past ? now + 1000 : end)
  metadata.deletionGracePeriodSeconds = past ? 1 : wanted
  return 'given'
}

/** Upstream: store.go markAsDeleting. */
function markAsDeleting({ metadata }: KubeObject, now: number): void {
  if (metadata.deletionGracePeriodSeconds === undefined && metadata.generation) metadata.generation++
  const existing = metadata.deletionTimestamp
  if (!existing || Date.parse(existing) > now) metadata.deletionTimestamp = formatTime(now)
  metadata.deletionGracePeriodSeconds = 0
}

/** Sets or removes the garbage collector's two finalizers; true when that changes anything. */
function applyGarbageCollection(strategy: Strategy, object: KubeObject, options: DeleteOptions): boolean {
  if (strategy.garbageCollection === 'Unsupported') return false
  const before = object.metadata.finalizers ?? []
  const wanted = garbageCollectorFinalizer(strategy, before, options)
  const isCollectors = (finalizer: string) =>
    finalizer === ORPHAN_FINALIZER || finalizer === FOREGROUND_FINALIZER
  const after = before.filter(finalizer => !isCollectors(finalizer))
  if (wanted) after.push(wanted)
  if (after.length === before.length && after.every(finalizer => before.includes(finalizer))) return false
  if (after.length > 0) object.metadata.finalizers = after
  else delete object.metadata.finalizers
  return true
}

function garbageCollectorFinalizer(
  strategy: Strategy,
  present: readonly string[],
  { orphanDependents, propagationPolicy }: DeleteOptions,
): string | undefined {
  if (orphanDependents !== undefined) return orphanDependents ? ORPHAN_FINALIZER : undefined
  if (propagationPolicy === 'Orphan') return ORPHAN_FINALIZER
  if (propagationPolicy === 'Foreground') return FOREGROUND_FINALIZER
  if (propagationPolicy === 'Background') return undefined
  if (present.includes(ORPHAN_FINALIZER)) return ORPHAN_FINALIZER
  if (present.includes(FOREGROUND_FINALIZER)) return FOREGROUND_FINALIZER
  return strategy.garbageCollection === 'Orphan' ? ORPHAN_FINALIZER : undefined
}
