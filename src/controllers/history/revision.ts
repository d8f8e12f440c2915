// A ControllerRevision: the template that a StatefulSet or DaemonSet had, kept so that it can come back.
// Upstream: pkg/controller/history/controller_history.go.
import type { ControllerRevision } from '../../api/types/apps-v1.ts'
import type { PodTemplateSpec } from '../../api/types/core-v1.ts'
import { goJson } from '../../api/validation/internal-json.ts'
import { createdAt } from '../pod-control/pod-state.ts'
import { fnv32, safeEncode } from './template-hash.ts'

/** On Pods and on DaemonSets' revisions: which revision they are of. */
export const REVISION_HASH = 'controller-revision-hash'
/** On StatefulSets' revisions. */
export const HISTORY_HASH = 'controller.kubernetes.io/hash'

/** Names end in a dash and a hash of ten letters at most; 253 letters are allowed. */
const LONGEST_PREFIX = 223

export type RevisionData = Record<string, unknown>

/** A patch that puts the template in place of whatever is there. Upstream: getPatch. */
export function templatePatch(template: PodTemplateSpec): RevisionData {
  return { spec: { template: { ...structuredClone(template), $patch: 'replace' } } }
}

/** The template that a revision's patch brings back. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const { spec } = data as { spec: { template: PodTemplateSpec & { $patch?: string } } }
  const { $patch: _, ...template } = spec.template
  return template
}

/** As Go writes a map: keys sorted, at every depth. */
export function canonicalJson(value: unknown): string {
  return goJson(sorted(value))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, field]) => field !== undefined)
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, sorted(field)]),
  )
}

/** `collisionCount` leads to another hash when the name is taken. Upstream: HashControllerRevision. */
export function revisionHash(data: RevisionData, collisionCount?: number): string {
  const probe = collisionCount === undefined ? '' : String(collisionCount)
  return safeEncode(String(fnv32(Buffer.from(canonicalJson(data) + probe), '1')))
}

export const revisionName = (owner: string, hash: string): string =>
  `${owner.slice(0, LONGEST_PREFIX)}-${hash}`

/** The oldest first. Upstream: SortControllerRevisions. */
export function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  return (
    a.revision - b.revision ||
    createdAt(a) - createdAt(b) ||
    (a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0)
  )
}

export const hasData = ({ data }: ControllerRevision, wanted: RevisionData): boolean =>
  canonicalJson(data) === canonicalJson(wanted)

export const highestRevision = (revisions: readonly ControllerRevision[]): number =>
  revisions.reduce((highest, { revision }) => Math.max(highest, revision), 0)
