// Keeps metadata.managedFields through every write of an object, and applies configurations.
// Upstream: apimachinery util/managedfields (fieldmanager.go and the managers that it stacks).
import type { KubeObject } from '../../api/kube-object.ts'
import { StatusError } from '../../api/status-error.ts'
import type { ManagedFieldsEntry } from '../../api/types/meta-v1.ts'
import { conflictError } from './conflict-error.ts'
import { type FieldSet, pathText, setOf, union } from './field-set.ts'
import { allowedByLastApplied, LAST_APPLIED, withLastApplied } from './last-applied.ts'
import { capUpdaters, type ManagerId, type Managers, readManagers, writeManagers } from './managers.ts'
import {
  type Applied,
  applyConfiguration,
  type Conflict,
  type Context,
  ownersAfterUpdate,
} from './ownership.ts'
import { type Shape, ShapeError } from './shape.ts'

export interface Writer {
  /** The request's fieldManager. */
  fieldManager?: string | undefined
  userAgent?: string | undefined
  subresource?: string | undefined
  /** RFC 3339 with seconds. */
  time: string
}

/** What is to be known of the kind that is written. */
export interface TrackedKind {
  shape: Shape
  /** The status is written through a subresource of its own. */
  hasStatus: boolean
}

/** kubectl's, whose client-side applies it may take over. Upstream: lastAppliedManager. */
const KUBECTL = 'kubectl'
const BEFORE_FIRST_APPLY = 'before-first-apply'

const field = (...names: string[]) => names.map(name => `f:${name}`)

/** What the server alone sets, or what names the object. Upstream: stripSet. */
const NOBODYS: FieldSet = setOf(
  field('apiVersion'),
  field('kind'),
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map(name => field('metadata', name)),
)
const WITHOUT_STATUS = union(NOBODYS, setOf(field('status')))
const WITHOUT_SPEC = union(NOBODYS, setOf(field('spec')))

/** Upstream: the strategies' GetResetFields. */
function ignoredBy(subresource: string | undefined, hasStatus: boolean): FieldSet {
  if (subresource === 'status') return WITHOUT_SPEC
  return hasStatus && !subresource ? WITHOUT_STATUS : NOBODYS
}

/**
 * After a create or update: sets `object.metadata.managedFields`. `object` is unfrozen; `old` is undefined at a
 * creation. Never fails: what cannot be tracked keeps the entries it has. Upstream: UpdateNoErrors.
 */
export function trackUpdate(
  object: KubeObject,
  old: KubeObject | undefined,
  writer: Writer,
  { shape, hasStatus }: TrackedKind,
): void {
  const before = old?.metadata.managedFields ?? []
  const told = object.metadata.managedFields
  // Objects from before managed fields were kept stay without.
  if (old && before.length === 0 && !told?.length) return
  try {
    const managers = startingPoint(told, before)
    const next = capUpdaters(
      ownersAfterUpdate(old ?? {}, object, managers, idOf(writer, 'Update', object.apiVersion), {
        shape,
        ignored: ignoredBy(writer.subresource, hasStatus),
        time: writer.time,
      }),
    )
    setManagedFields(object, next === managers && told === undefined ? before : writeManagers(next))
  } catch {
    setManagedFields(object, before)
  }
}

/** A client may send the entries back as they are, leave them out, or reset them with one empty entry. */
function startingPoint(
  told: readonly ManagedFieldsEntry[] | undefined,
  before: readonly ManagedFieldsEntry[],
): Managers {
  if (told?.length === 1 && Object.keys(told[0]!).length === 0) return new Map()
  if (told?.length) {
    try {
      return readManagers(told)
    } catch {
      // Not well formed: the stored ones hold.
    }
  }
  return readManagers(before)
}

function setManagedFields(object: KubeObject, entries: readonly ManagedFieldsEntry[]): void {
  if (entries.length > 0) object.metadata.managedFields = [...entries]
  else delete object.metadata.managedFields
}

/**
 * The object after a server-side apply of `config` to `live` (undefined: there is none yet), not yet decoded and
 * with its managedFields. Throws 409 with the conflicts, 400 and 500 as upstream.
 */
export function apply(
  live: KubeObject | undefined,
  config: KubeObject,
  writer: Writer & { fieldManager: string },
  force: boolean,
  { shape, hasStatus }: TrackedKind,
): KubeObject {
  if (config.metadata.managedFields?.length)
    throw new StatusError({ code: 400, reason: 'BadRequest', message: 'metadata.managedFields must be nil' })
  const { apiVersion, kind } = config
  const by = idOf(writer, 'Apply', apiVersion)
  const base = live ? withoutManagedFields(live) : { apiVersion, kind, metadata: {} }
  const context = { shape, ignored: ignoredBy(writer.subresource, hasStatus), time: writer.time }
  const managers = managersOf(live, context)
  const attempt = (taking: boolean): Applied =>
    shaped(config, () => applyConfiguration(base, config, managers, by, taking, context))
  const applied = settle(attempt(force), attempt, live, { manager: writer.fieldManager, shape })
  const { metadata, ...rest } = applied.object as KubeObject
  const object = { ...rest, metadata: { ...metadata } } as KubeObject
  setManagedFields(object, writeManagers(capUpdaters(applied.managers)))
  const isKubectl =
    writer.fieldManager === KUBECTL && live?.metadata.annotations?.[LAST_APPLIED] !== undefined
  return isKubectl ? withLastApplied(object, config) : object
}

/** kubectl may take over what its own client-side apply has set before. */
function settle(
  first: Applied,
  attempt: (force: boolean) => Applied,
  live: KubeObject | undefined,
  { manager, shape }: { manager: string; shape: Shape },
): Applied {
  if (first.conflicts.length === 0) return first
  const conflicts = manager === KUBECTL ? serious(first.conflicts, live, shape) : first.conflicts
  if (conflicts.length > 0) throw conflictError(conflicts)
  return attempt(true)
}

function serious(conflicts: Conflict[], live: KubeObject | undefined, shape: Shape): Conflict[] {
  const allowed = live ? allowedByLastApplied(live, shape) : new Set<string>()
  return conflicts.filter(({ path }) => !allowed.has(pathText(path)))
}

/** An object that nobody tracked so far belongs to one who was before. Upstream: skipNonAppliedManager. */
function managersOf(live: KubeObject | undefined, context: Context): Managers {
  if (!live) return new Map()
  const entries = live.metadata.managedFields ?? []
  if (entries.length > 0) return readManagers(entries)
  const { apiVersion } = live
  const id: ManagerId = { manager: BEFORE_FIRST_APPLY, operation: 'Update', apiVersion, subresource: '' }
  return ownersAfterUpdate({}, live, new Map(), id, context)
}

function withoutManagedFields({ metadata, ...rest }: KubeObject): unknown {
  const { managedFields: _, ...others } = metadata
  return { ...rest, metadata: others }
}

function shaped<T>({ apiVersion, kind, metadata }: KubeObject, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    const { namespace = '', name } = metadata
    throw new StatusError({
      code: 500,
      message: `failed to create typed patch object (${namespace}/${name}; ${apiVersion}, Kind=${kind}): ${error.message}`,
    })
  }
}

function idOf(
  { fieldManager, userAgent = '', subresource = '' }: Writer,
  operation: 'Apply' | 'Update',
  apiVersion: string,
): ManagerId {
  return { manager: fieldManager || agentName(userAgent), operation, apiVersion, subresource }
}

/** Upstream: prefixFromUserAgent, with what a manager's name may hold. */
const agentName = (userAgent: string) =>
  userAgent
    .split('/')[0]!
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')
    .slice(0, 128) || 'unknown'
