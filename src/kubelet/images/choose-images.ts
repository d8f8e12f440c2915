// Which images go when the disk fills up. Pure. Upstream: pkg/kubelet/images/image_gc_manager.go.

export interface ImagePolicy {
  /** Of the disk, used: from here on images are removed. 100: never for this reason. */
  highPercent: number
  /** … until this much is used. */
  lowPercent: number
  /** An image is kept this long after it was first seen. */
  minimumAgeMs: number
  /** An image that was not used for this long goes whatever the disk says; 0: never for this reason. */
  maximumAgeMs: number
}

export interface TrackedImage {
  id: string
  size: number
  pinned: boolean
  /** Epoch milliseconds. */
  firstSeenAt: number
  /** Of its last container that was seen; the time of the look while there is one; 0 for none ever. */
  lastUsedAt: number
}

export interface Disk {
  available: number
  capacity: number
}

/** 0 while less than the high threshold is used. */
export function bytesToFree({ available, capacity }: Disk, { highPercent, lowPercent }: ImagePolicy): number {
  if (highPercent >= 100) return 0
  const usedPercent = 100 - Math.floor((available * 100) / capacity)
  if (usedPercent < highPercent) return 0
  return Math.floor((capacity * (100 - lowPercent)) / 100) - available
}

/** Those that may go, the longest unused first. */
export function removable(
  images: readonly TrackedImage[],
  now: number,
  { minimumAgeMs }: ImagePolicy,
): TrackedImage[] {
  return images
    .filter(
      ({ pinned, lastUsedAt, firstSeenAt }) =>
        !pinned && lastUsedAt < now && now - firstSeenAt >= minimumAgeMs,
    )
    .toSorted((a, b) => a.lastUsedAt - b.lastUsedAt || a.firstSeenAt - b.firstSeenAt)
}

/** Of the removable ones, those that nobody has used for too long. */
export function outdated(
  images: readonly TrackedImage[],
  now: number,
  { maximumAgeMs }: ImagePolicy,
): TrackedImage[] {
  if (maximumAgeMs === 0) return []
  return images.filter(
    ({ lastUsedAt, firstSeenAt }) => now - Math.max(lastUsedAt, firstSeenAt) > maximumAgeMs,
  )
}
