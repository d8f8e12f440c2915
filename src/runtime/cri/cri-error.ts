/** gRPC codes that the CRI uses. */
export const CRI_CODE = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
} as const

/** A failed CRI call; `code` is the gRPC status code and travels over the socket. */
export class CriError extends Error {
  readonly code: number

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CriError'
    this.code = code
  }
}

export const criNotFound = (what: string, id: string) =>
  new CriError(CRI_CODE.notFound, `${what} "${id}" not found`)

export const criInvalid = (message: string) => new CriError(CRI_CODE.invalidArgument, message)

export const isCriNotFound = (error: unknown): boolean =>
  error instanceof Error && (error as { code?: unknown }).code === CRI_CODE.notFound
