// What a Deployment writes on its ReplicaSets: whose revision they are, and how large all of them may be together.
// Upstream: pkg/controller/deployment/util/deployment_util.go.
import type { Deployment, ReplicaSet } from '../../api/types/apps-v1.ts'
import { desiredReplicas, rollingLimits } from './rolling-limits.ts'

export const REVISION = 'deployment.kubernetes.io/revision'
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
const ROLLBACK_TO = 'deprecated.deployment.rollback.to'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Characters of the annotation that lists earlier revisions; the oldest are dropped first. */
const LONGEST_HISTORY = 2_000

const NOT_COPIED = new Set([
  LAST_APPLIED,
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  ROLLBACK_TO,
])

export type Annotations = Record<string, string>

/** An int64 in upstream: larger than a number holds exactly. 0 when there is none, or when it is no number. */
export function revisionOf({ metadata }: Pick<ReplicaSet, 'metadata'>): bigint {
  return parseRevision(metadata.annotations?.[REVISION] ?? '0') ?? 0n
}

const parseRevision = (text: string) => (/^[+-]?\d+$/.test(text) ? BigInt(text) : undefined)

export function countAnnotation({ metadata }: ReplicaSet, name: string): number | undefined {
  const text = metadata.annotations?.[name]
  return text === undefined ? undefined : integer(text)
}

const integer = (text: string) => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined)

/**
 * The new ReplicaSet's annotations: the Deployment's, and its revision, which never goes down.
 * `before` is undefined for one that is about to be created. Upstream: SetNewReplicaSetAnnotations.
 */
export function newReplicaSetAnnotations(
  deployment: Deployment,
  before: ReplicaSet | undefined,
  revision: bigint,
): Annotations {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key))
  const annotations: Annotations = { ...before?.metadata.annotations, ...Object.fromEntries(copied) }
  const told = annotations[REVISION]
  const old = told === undefined ? 0n : parseRevision(told)
  if (old !== undefined && old < revision) {
    annotations[REVISION] = String(revision)
    if (told !== undefined) annotations[REVISION_HISTORY] = longerHistory(annotations[REVISION_HISTORY], told)
  }
  return before ? annotations : { ...annotations, ...sizeAnnotations(deployment) }
}

/** For proportional scaling: what was asked for, and the most that there may be. */
export function sizeAnnotations(deployment: Deployment): Annotations {
  const replicas = desiredReplicas(deployment)
  return {
    [DESIRED_REPLICAS]: String(replicas),
    [MAX_REPLICAS]: String(replicas + rollingLimits(deployment).maxSurge),
  }
}

function longerHistory(history: string | undefined, revision: string): string {
  if (!history) return revision
  const revisions = history.split(',')
  while (revisions.length > 0 && [...revisions, revision].join(',').length > LONGEST_HISTORY)
    revisions.shift()
  return [...revisions, revision].join(',')
}

export function sameAnnotations(a: Annotations | undefined, b: Annotations | undefined): boolean {
  const [left, right] = [Object.entries(a ?? {}), b ?? {}]
  return (
    left.length === Object.keys(right).length &&
    left.every(([key, value]) => Object.hasOwn(right, key) && right[key] === value)
  )
}
