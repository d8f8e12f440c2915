/** Why an image operation failed; `NotFound` is gRPC's NOT_FOUND, everything else UNKNOWN as containerd has it. */
export type ImageErrorKind = 'NotFound' | 'Denied' | 'Unavailable' | 'Invalid' | 'InUse' | 'Busy'

export class ImageError extends Error {
  readonly kind: ImageErrorKind

  constructor(kind: ImageErrorKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ImageError'
    this.kind = kind
  }
}

/** The same kind of failure with words in front, as each of containerd's layers adds its own. */
export function explain(prefix: string, error: unknown): ImageError {
  const kind = error instanceof ImageError ? error.kind : 'Unavailable'
  return new ImageError(kind, `${prefix}: ${error instanceof Error ? error.message : error}`, {
    cause: error,
  })
}
