// Image references as people write them and as registries need them: `busybox` is docker.io/library/busybox:latest.
// Follows the grammar and the wording of distribution/reference (ParseNormalizedNamed, TagNameOnly).

export interface ImageReference {
  /** Registry as it is named, `docker.io`. */
  domain: string
  /** Repository inside the registry, `library/busybox`. */
  path: string
  tag?: string
  /** `sha256:…`. */
  digest?: string
}

/** The text is no image reference; the message is what upstream's parser says. */
export class ImageReferenceError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ImageReferenceError'
  }
}

const ALPHANUMERIC = '[a-z0-9]+'
const SEPARATOR = '(?:[._]|__|[-]+)'
const COMPONENT = `${ALPHANUMERIC}(?:${SEPARATOR}${ALPHANUMERIC})*`
const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const DOMAIN = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const TAG = '[\\w][\\w.-]{0,127}'
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*[:][0-9a-fA-F]{32,}'
const REFERENCE = new RegExp(
  `^(?:(${DOMAIN})/)?(${COMPONENT}(?:/${COMPONENT})*)(?::(${TAG}))?(?:@(${DIGEST}))?$`,
)
const IDENTIFIER = /^[a-f0-9]{64}$/
const LONGEST_NAME = 255
/** Hexadecimal digits of the digest algorithms in use. */
const DIGEST_LENGTHS: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 }

/** Parses a reference without adding a tag. Throws ImageReferenceError. */
export function parseNormalized(text: string): ImageReference {
  if (IDENTIFIER.test(text)) {
    throw new ImageReferenceError(
      `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`,
    )
  }
  const { domain, remainder } = splitDomain(text)
  const name = remainder.split(':', 1)[0]!
  if (name.toLowerCase() !== name) {
    throw new ImageReferenceError(`invalid reference format: repository name (${name}) must be lowercase`)
  }
  const match = REFERENCE.exec(`${domain}/${remainder}`)
  if (!match) throw new ImageReferenceError('invalid reference format')
  const [, matchedDomain = '', path = '', tag, digest] = match
  if (path.length > LONGEST_NAME) {
    throw new ImageReferenceError(`repository name must not be more than ${LONGEST_NAME} characters`)
  }
  if (digest) checkDigest(digest)
  return { domain: matchedDomain, path, ...(tag && { tag }), ...(digest && { digest }) }
}

/** Parses a reference; one with neither tag nor digest gets the tag `latest`. Throws ImageReferenceError. */
export function parseReference(text: string): ImageReference {
  const parsed = parseNormalized(text)
  return parsed.tag || parsed.digest ? parsed : { ...parsed, tag: 'latest' }
}

/** As parseReference, with the words that the kubelet puts before the reason of an InvalidImageName. */
export function parseImageName(text: string): ImageReference {
  try {
    return parseReference(text)
  } catch (error) {
    if (!(error instanceof ImageReferenceError)) throw error
    throw new ImageReferenceError(`couldn't parse image name ${JSON.stringify(text)}: ${error.message}`)
  }
}

/** `docker.io/library/busybox`. */
export const repositoryName = (reference: ImageReference) => `${reference.domain}/${reference.path}`

/** The full form: `docker.io/library/busybox:latest`, `…@sha256:…`, or both. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag ? `:${reference.tag}` : ''
  const digest = reference.digest ? `@${reference.digest}` : ''
  return `${repositoryName(reference)}${tag}${digest}`
}

/** The short form that people read: `busybox:latest`. */
export function familiarName(reference: ImageReference): string {
  return formatReference(reference).replace(/^docker\.io\/(library\/(?=[^/]+$))?/, '')
}

/** The first part is a domain only if it looks like one: it has a dot, a port or capitals, or is `localhost`. */
function splitDomain(text: string): { domain: string; remainder: string } {
  const slash = text.indexOf('/')
  const first = text.slice(0, Math.max(slash, 0))
  const isDomain =
    slash !== -1 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first)
  const domain = isDomain ? first : 'docker.io'
  const remainder = isDomain ? text.slice(slash + 1) : text
  if (domain !== 'docker.io' && domain !== 'index.docker.io') return { domain, remainder }
  return { domain: 'docker.io', remainder: remainder.includes('/') ? remainder : `library/${remainder}` }
}

function checkDigest(digest: string): void {
  const [algorithm = '', hex = ''] = digest.split(':')
  const length = DIGEST_LENGTHS[algorithm]
  if (length === undefined) throw new ImageReferenceError('unsupported digest algorithm')
  if (hex.length !== length) throw new ImageReferenceError('invalid checksum digest length')
  if (/[A-F]/.test(hex)) throw new ImageReferenceError('invalid checksum digest format')
}
