import type { ObjectMeta } from '../../api/types/meta-v1.ts'

/** undefined: as they are. One that stands gets the finalizer, one that is deleted loses it when nobody uses it. */
export function finalizersAfter(
  { metadata }: { metadata: ObjectMeta },
  finalizer: string,
  isUsed: boolean,
): string[] | undefined {
  const present = metadata.finalizers ?? []
  const has = present.includes(finalizer)
  if (metadata.deletionTimestamp)
    return has && !isUsed ? present.filter(name => name !== finalizer) : undefined
  return has ? undefined : [...present, finalizer]
}
