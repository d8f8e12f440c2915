// Every API failure is one StatusError that carries a metav1.Status.
// Texts and codes follow apimachinery pkg/api/errors/errors.go.

import type { StatusCause, StatusDetails } from './types/meta-v1.ts'

export type { StatusCause, StatusDetails }

/** metav1.Status of a failure. */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  /** Empty but for an expired list, which offers a token to go on with. */
  metadata: { continue?: string }
  status: 'Failure'
  message: string
  reason?: string
  details?: StatusDetails
  code: number
}

export class StatusError extends Error {
  readonly status: Status

  constructor(
    status: Omit<Status, 'kind' | 'apiVersion' | 'metadata' | 'status'> & { metadata?: Status['metadata'] },
  ) {
    super(status.message)
    this.name = 'StatusError'
    const { metadata = {}, message, reason, details, code, ...rest } = status
    // In the order in which upstream writes it.
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason !== undefined && { reason }),
      ...(details !== undefined && { details }),
      code,
      ...rest,
    }
  }
}

/** Group and plural resource (or kind, where upstream uses it) that an error is about. */
export interface GroupResource {
  group: string
  resource: string
}

/** 'pods', 'deployments.apps': schema.GroupResource.String. */
export function qualifiedName({ group, resource }: GroupResource): string {
  return group ? `${resource}.${group}` : resource
}

function details({ group, resource }: GroupResource, name: string): StatusDetails {
  return { ...(name && { name }), ...(group && { group }), kind: resource }
}

export function notFound(what: GroupResource, name: string): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: `${qualifiedName(what)} "${name}" not found`,
    details: details(what, name),
  })
}

export function alreadyExists(what: GroupResource, name: string): StatusError {
  return new StatusError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualifiedName(what)} "${name}" already exists`,
    details: details(what, name),
  })
}

/** `why` is the text after the colon; upstream's for a stale resourceVersion is `STALE_OBJECT`. */
export function conflict(what: GroupResource, name: string, why: string = STALE_OBJECT): StatusError {
  return new StatusError({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualifiedName(what)} "${name}": ${why}`,
    details: details(what, name),
  })
}

export const STALE_OBJECT =
  'the object has been modified; please apply your changes to the latest version and try again'

export function forbidden(what: GroupResource, name: string, why: string): StatusError {
  const subject = qualifiedName(what) + (name ? ` "${name}"` : '')
  return new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: what.resource ? `${subject} is forbidden: ${why}` : `forbidden: ${why}`,
    details: details(what, name),
  })
}

/** A field problem as validators return it; `detail` may be empty. See validation/field-error.ts for makers. */
export interface FieldErrorLike {
  reason: string
  field: string
  /** 'Invalid value: "x": must be …', without the path. */
  message: string
}

/** 422. `kind` is the object's kind, with its group. Upstream: NewInvalid. */
export function invalid(
  kind: { group: string; kind: string },
  name: string,
  errors: readonly FieldErrorLike[],
): StatusError {
  const texts = [...new Set(errors.map(error => `${error.field}: ${error.message}`))]
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: `${qualifiedName({ group: kind.group, resource: kind.kind })} "${name}" is invalid: ${list}`,
    details: {
      ...(name && { name }),
      ...(kind.group && { group: kind.group }),
      kind: kind.kind,
      causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
    },
  })
}

export function badRequest(message: string): StatusError {
  return new StatusError({ code: 400, reason: 'BadRequest', message })
}

export function unauthorized(message = 'Unauthorized'): StatusError {
  return new StatusError({ code: 401, reason: 'Unauthorized', message })
}

export function methodNotSupported(what: GroupResource, action: string): StatusError {
  return new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: `${action} is not supported on resources of kind "${qualifiedName(what)}"`,
    details: { ...(what.group && { group: what.group }), kind: what.resource },
  })
}

/** 410: a watch or list from a revision that is compacted, or a continue token that is too old. */
export function expired(message: string): StatusError {
  return new StatusError({ code: 410, reason: 'Expired', message })
}

export function tooManyRequests(
  message: string,
  retryAfterSeconds?: number,
  causes?: StatusCause[],
): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message,
    details: { ...(causes && { causes }), ...(retryAfterSeconds && { retryAfterSeconds }) },
  })
}

export function serviceUnavailable(message: string): StatusError {
  return new StatusError({ code: 503, reason: 'ServiceUnavailable', message })
}

export function internalError(error: unknown): StatusError {
  const text = error instanceof Error ? error.message : String(error)
  return new StatusError({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${text}`,
    details: { causes: [{ message: text }] },
  })
}

const hasReason =
  (...reasons: string[]) =>
  (error: unknown): error is StatusError =>
    error instanceof StatusError && reasons.includes(error.status.reason ?? '')

export const isNotFound = hasReason('NotFound')
export const isAlreadyExists = hasReason('AlreadyExists')
export const isConflict = hasReason('Conflict')
export const isInvalid = hasReason('Invalid')
export const isForbidden = hasReason('Forbidden')
export const isExpired = hasReason('Expired', 'Gone')
export const isTooManyRequests = hasReason('TooManyRequests')
export const isMethodNotAllowed = hasReason('MethodNotAllowed')
