// What the controller remembers between its looks at a volume: none of it is in an object, and a new run begins anew.
import type { Node } from '../../api/types/core-v1.ts'
import type { VolumeAttachment } from '../../api/types/storage-v1.ts'

export class AttachMemory {
  /** Since when an attachment is waited for, by its name. */
  readonly waitingSince = new Map<string, number>()
  /** Since when an attachment is not needed, by its name. */
  readonly unneededSince = new Map<string, number>()
  /** Whose Pods know already that they have to wait for others: 'volume node'. */
  readonly told = new Set<string>()
  /** By attachment's name: the failure that was told last. */
  readonly errors = new Map<string, string>()
  /** Uids of attachments that were deleted here: what informers still show of them is old. */
  readonly #deleted = new Set<string>()
  readonly #inUse = new Map<string, ReadonlySet<string>>()

  /** What a Node said last counts also when it is gone. */
  nodeSeen({ metadata, status }: Node): void {
    this.#inUse.set(metadata.name, new Set(status.volumesInUse))
  }

  isInUse(nodeName: string, uniqueName: string): boolean {
    return this.#inUse.get(nodeName)?.has(uniqueName) ?? false
  }

  deleted({ metadata }: VolumeAttachment): void {
    this.#deleted.add(metadata.uid)
  }

  /** The informer knows that it is gone. */
  gone({ metadata }: VolumeAttachment): void {
    this.#deleted.delete(metadata.uid)
    for (const map of [this.waitingSince, this.unneededSince, this.errors]) map.delete(metadata.name)
  }

  /** It is there, and nobody takes it away. */
  isAttached({ metadata, status }: VolumeAttachment): boolean {
    return !!status?.attached && !metadata.deletionTimestamp && !this.#deleted.has(metadata.uid)
  }
}
