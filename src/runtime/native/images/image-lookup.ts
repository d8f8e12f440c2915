// Finding images in the index by what people and the kubelet call them. Pure functions over the index.
import type { ImageIndexData, StoredImage } from './image-index.ts'
import { formatReference, type ImageReference, parseReference, repositoryName } from './reference.ts'

export interface ImageRecord extends StoredImage {
  /** Digest of the config, `sha256:…`. */
  id: string
  /** Full names with tags, sorted. */
  repoTags: string[]
  /** Full names with digests, sorted. Empty for images that never were in a registry. */
  repoDigests: string[]
}

const ID_PREFIX = /^[0-9a-f]{6,63}$/

/** The id of the image with this name (`busybox`, `x@sha256:…`), id, or unambiguous beginning of an id. */
export function findImageId({ images, names }: ImageIndexData, text: string): string | undefined {
  const hex = text.replace(/^sha256:/, '')
  if (images[`sha256:${hex}`]) return `sha256:${hex}`
  const name = storedName(text)
  if (name && names[name]) return names[name]
  if (!ID_PREFIX.test(hex)) return undefined
  const matches = Object.keys(images).filter(id => id.startsWith(`sha256:${hex}`))
  return matches.length === 1 ? matches[0] : undefined
}

/** The name as the index has it; undefined when the text is none. Beside a digest a tag does not count. */
export function storedName(text: string): string | undefined {
  try {
    const reference = parseReference(text)
    return reference.digest ? `${repositoryName(reference)}@${reference.digest}` : formatReference(reference)
  } catch {
    return undefined
  }
}

/** A pull by tag also gives the name with the digest; a pull by digest gives only that. */
export function namesAfterPull(reference: ImageReference, digest: string): string[] {
  const withDigest = `${repositoryName(reference)}@${digest}`
  return reference.digest ? [withDigest] : [formatReference(reference), withDigest]
}

/** The image must be in the index. */
export function imageRecord({ images, names }: ImageIndexData, id: string): ImageRecord {
  const own = Object.keys(names)
    .filter(name => names[name] === id)
    .sort()
  return {
    ...images[id]!,
    id,
    repoTags: own.filter(name => !name.includes('@')),
    repoDigests: own.filter(name => name.includes('@')),
  }
}

/** Takes an image and all that leads to it out of the index. */
export function forgetImage(draft: ImageIndexData, id: string): void {
  delete draft.images[id]
  for (const table of [draft.names, draft.manifests]) {
    for (const [name, its] of Object.entries(table)) if (its === id) delete table[name]
  }
}

/** The CRI's two ways to name an image's user: a number, or a name; the group is not part of it. */
export function imageUser(user = ''): { uid?: number; username: string } {
  const name = user.split(':')[0]!
  return /^\d+$/.test(name) ? { uid: Number(name), username: '' } : { username: name }
}
