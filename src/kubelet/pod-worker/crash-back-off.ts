// Crash back-off as values. The first restart is free, then 10, 20 … 300 s, counted from the last exit.
// Upstream: kuberuntime doBackOff over client-go flowcontrol.Backoff.
import type { Container, Pod } from '../../api/types/core-v1.ts'
import type { BackOffEntry } from './observed-pod.ts'

export interface BackOffLimits {
  initialMs: number
  maxMs: number
}

export const defaultBackOffLimits: BackOffLimits = { initialMs: 10_000, maxMs: 300_000 }

/** A container that ran longer than this since its last restart starts from the beginning again. */
const RESET_AFTER_MS = 600_000

/** Another image or other resources make another key, so the back-off starts anew. */
export function backOffKey(pod: Pod, container: Container): string {
  const { name, namespace, uid } = pod.metadata
  return [
    name,
    namespace,
    uid,
    container.name,
    container.image,
    JSON.stringify(container.resources ?? {}),
  ].join('_')
}

/** When the restart is allowed (epoch milliseconds); undefined when it is allowed at once. */
export function heldBackUntil(
  entry: BackOffEntry | undefined,
  finishedAt: number,
  now: number,
): number | undefined {
  if (!entry || isExpired(entry, finishedAt)) return undefined
  const until = finishedAt + entry.durationMs
  return now < until ? until : undefined
}

/** The entry after a restart that follows an exit. */
export function nextBackOff(
  entry: BackOffEntry | undefined,
  finishedAt: number,
  now: number,
  limits: BackOffLimits = defaultBackOffLimits,
): BackOffEntry {
  if (!entry || isExpired(entry, finishedAt)) {
    return { durationMs: Math.min(limits.initialMs, limits.maxMs), updatedAt: now }
  }
  return { durationMs: Math.min(entry.durationMs * 2, limits.maxMs), updatedAt: now }
}

const isExpired = (entry: BackOffEntry, finishedAt: number) => finishedAt - entry.updatedAt > RESET_AFTER_MS
