// Where a volume is to be attached, and from where it is to be detached. Pure.
// Upstream: pkg/controller/volume/attachdetach/reconciler/reconciler.go.
import type { Node, PersistentVolume, Pod } from '../../api/types/core-v1.ts'
import type { VolumeAttachment } from '../../api/types/storage-v1.ts'
import { attachmentName, MANAGED_ATTACH } from '../../api/volume/csi-names.ts'
import type { VolumeUsers } from './volume-users.ts'

/** An unhealthy node's volumes are detached after this long though it never said that it has let go of them. */
export const FORCE_DETACH_MS = 360_000
/** What has not been attached by then is told. */
export const ATTACH_TIMEOUT_MS = 120_000

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'
const OWN_NAME = /^csi-[0-9a-f]{64}$/

export type AttachmentAction =
  | { do: 'attach'; nodeName: string }
  /** Forced: whether the node still uses it is not asked any more. */
  | { do: 'detach'; attachment: VolumeAttachment; forced: boolean }
  /** The volume is at another node already, used by these Pods. */
  | { do: 'tellTaken'; nodeName: string; by: readonly Pod[] }
  /** Nobody has attached it in time. */
  | { do: 'tellTimeout'; attachment: VolumeAttachment }
  | { do: 'checkAgain'; at: number }

export interface ObservedVolume {
  /** Undefined when it is gone. */
  volume: PersistentVolume | undefined
  /** All that name the volume. */
  attachments: readonly VolumeAttachment[]
  /** Its driver wants its volumes attached. */
  isAttachable: boolean
  users: VolumeUsers
  findNode: (name: string) => Node | undefined
  /** The node has said that it uses the volume, and not the contrary since. */
  isInUse: (nodeName: string) => boolean
  /** Since when an attachment is not needed any more, by its name. */
  unneededSince: ReadonlyMap<string, number>
  /** Since when an attachment is waited for, by its name. */
  waitingSince: ReadonlyMap<string, number>
}

export function decideAttachments(observed: ObservedVolume, now: number): AttachmentAction[] {
  const own = observed.attachments.filter(attachment => isOwn(attachment, observed.volume))
  const users: VolumeUsers = observed.volume?.spec.csi && observed.isAttachable ? observed.users : new Map()
  const detaches = own
    .filter(({ spec }) => !users.has(spec.nodeName))
    .flatMap(attachment => decideDetach(attachment, observed, now))
  const waits = own.filter(({ spec }) => users.has(spec.nodeName)).flatMap(one => overdue(one, observed, now))
  return [...detaches, ...waits, ...decideAttaches(own, users, observed)]
}

/** Others make attachments too; those of a volume that is gone are known by their form. */
export function isOwn(
  { metadata, spec }: VolumeAttachment,
  volume: Pick<PersistentVolume, 'spec'> | undefined,
): boolean {
  const csi = volume?.spec.csi
  if (!volume) return OWN_NAME.test(metadata.name)
  return csi !== undefined && metadata.name === attachmentName(csi.volumeHandle, csi.driver, spec.nodeName)
}

function decideDetach(
  attachment: VolumeAttachment,
  { findNode, isInUse, unneededSince }: ObservedVolume,
  now: number,
): AttachmentAction[] {
  if (attachment.metadata.deletionTimestamp) return []
  const node = findNode(attachment.spec.nodeName)
  const forceAt = (unneededSince.get(attachment.metadata.name) ?? now) + FORCE_DETACH_MS
  const isOutOfService = node?.spec.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false
  const forced = isOutOfService || (now > forceAt && !isReady(node))
  if (forced || !isInUse(attachment.spec.nodeName)) return [{ do: 'detach', attachment, forced }]
  // A healthy node's own word is waited for, however long it takes.
  return isReady(node) ? [] : [{ do: 'checkAgain', at: forceAt + 1 }]
}

const isReady = (node: Node | undefined): boolean =>
  node?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false

function overdue(
  attachment: VolumeAttachment,
  { waitingSince }: ObservedVolume,
  now: number,
): AttachmentAction[] {
  const { metadata, status } = attachment
  const since = waitingSince.get(metadata.name)
  if (since === undefined || status?.attached || metadata.deletionTimestamp) return []
  const at = since + ATTACH_TIMEOUT_MS
  return at > now ? [{ do: 'checkAgain', at }] : [{ do: 'tellTimeout', attachment }]
}

function decideAttaches(
  own: readonly VolumeAttachment[],
  users: VolumeUsers,
  { volume, findNode }: ObservedVolume,
): AttachmentAction[] {
  const actions: AttachmentAction[] = []
  const at = new Set(own.map(({ spec }) => spec.nodeName))
  const isShared = mayBeShared(volume)
  for (const nodeName of [...users.keys()].sort()) {
    // One that is being detached here has to be gone first.
    if (at.has(nodeName) || findNode(nodeName)?.metadata.annotations?.[MANAGED_ATTACH] !== 'true') continue
    if (isShared || at.size === 0) {
      actions.push({ do: 'attach', nodeName })
      at.add(nodeName)
    } else if (own.length > 0) {
      const by = own.flatMap(({ spec }) => users.get(spec.nodeName) ?? [])
      actions.push({ do: 'tellTaken', nodeName, by })
    }
  }
  return actions
}

/** Upstream: IsMultiAttachAllowed. */
function mayBeShared(volume: PersistentVolume | undefined): boolean {
  const modes = volume?.spec.accessModes ?? []
  return modes.length === 0 || modes.some(mode => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany')
}

/** What a Pod is told whose volume others have. Pods of other namespaces are not named. Upstream: reportMultiAttachError. */
export function takenText(volume: string, pod: Pod, by: readonly Pod[]): string {
  const near = by.filter(({ metadata }) => metadata.namespace === pod.metadata.namespace)
  const far = by.length - near.length
  const names = near.map(({ metadata }) => metadata.name).join(', ')
  const what =
    by.length === 0
      ? "Volume is already exclusively attached to one node and can't be attached to another"
      : near.length === 0
        ? `Volume is already used by ${far} pod(s) in different namespaces`
        : `Volume is already used by pod(s) ${names}${far > 0 ? ` and ${far} pod(s) in different namespaces` : ''}`
  return `Multi-Attach error for volume "${volume}" ${what}`
}
