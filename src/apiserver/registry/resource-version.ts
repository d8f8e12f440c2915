// What resourceVersion, resourceVersionMatch, continue and sendInitialEvents mean together.
// Upstream: apimachinery internalversion/validation and etcd3/store.go.
import type { RequestOptions } from '../../api/request.ts'
import { badRequest, expired, type FieldErrorLike, invalid, StatusError } from '../../api/status-error.ts'

/** 504, as a server that waits for the revision in vain gives up. */
export function tooLarge(requested: number, current: number): StatusError {
  const message = `Too large resource version: ${requested}, current: ${current}`
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: ${message}`,
    details: {
      retryAfterSeconds: 1,
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    },
  })
}

export const listTooOld = () => expired('The resourceVersion for the provided list is too old.')

export function watchTooOld(requested: number, oldest: number): StatusError {
  return expired(`too old resource version: ${requested} (${oldest})`)
}

/** undefined when not given. Throws upstream's Invalid. */
export function parseResourceVersion(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^\d+$/.test(text)) {
    throw badRequest(
      `Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  }
  return Number(text)
}

/** Throws Invalid for combinations that make no sense. */
export function checkListOptions(options: RequestOptions, isWatch: boolean): void {
  const errors =
    options.sendInitialEvents !== undefined
      ? initialEventsErrors(options, isWatch)
      : matchErrors(options, isWatch)
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors)
  if (options.continue && options.resourceVersion && options.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
}

const forbidden = (field: string, why: string): FieldErrorLike => ({
  reason: 'FieldValueForbidden',
  field,
  message: `Forbidden: ${why}`,
})

function initialEventsErrors(
  { resourceVersionMatch: match }: RequestOptions,
  isWatch: boolean,
): FieldErrorLike[] {
  if (!isWatch) return [forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')]
  if (match === undefined) {
    return [
      forbidden(
        'resourceVersionMatch',
        'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ),
    ]
  }
  return match === 'NotOlderThan'
    ? []
    : [
        {
          reason: 'FieldValueNotSupported',
          field: 'resourceVersionMatch',
          message: `Unsupported value: ${JSON.stringify(match)}: supported values: "NotOlderThan"`,
        },
      ]
}

function matchErrors(options: RequestOptions, isWatch: boolean): FieldErrorLike[] {
  const { resourceVersionMatch: match, resourceVersion, continue: token } = options
  if (match === undefined) return []
  const errors: FieldErrorLike[] = []
  if (isWatch) errors.push(forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch'))
  if (!resourceVersion) {
    errors.push(
      forbidden(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden unless resourceVersion is provided',
      ),
    )
  }
  if (token)
    errors.push(
      forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'),
    )
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    errors.push({
      reason: 'FieldValueNotSupported',
      field: 'resourceVersionMatch',
      message: `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
    })
  }
  if (match === 'Exact' && resourceVersion === '0') {
    errors.push(
      forbidden('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    )
  }
  return errors
}
