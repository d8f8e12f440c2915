// When an image that is on disk may be used although its registry was to be asked and could not be.
import { ImageError } from './image-error.ts'
import type { ImageRecord } from './image-lookup.ts'

/** Label and vendor of the images that the set-up makes (tools/images). */
const VENDOR_LABEL = 'org.opencontainers.image.vendor'
const OWN_VENDOR = /^Kubernode\b/

/**
 * Only for images that the set-up made: they stand for the registry's on a machine without internet, where a Pod with
 * `image: busybox`, whose pull policy is Always, could never start. Anybody else's Always is kept to the letter.
 */
export function standsIn(image: Pick<ImageRecord, 'config'> | undefined, error: unknown): boolean {
  if (!(error instanceof ImageError) || error.kind !== 'Unavailable') return false
  return OWN_VENDOR.test(image?.config.Labels?.[VENDOR_LABEL] ?? '')
}
