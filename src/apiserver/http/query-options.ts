// Query parameters as metav1's option types. Follows the generated url.Values conversions of apimachinery.
import type { DeleteOptions, RequestOptions } from '../../api/request.ts'
import { badRequest } from '../../api/status-error.ts'
import { isTrue } from './request-info.ts'

/** Throws BadRequest for numbers that are none. Selectors and enums are left to the registry. */
export function parseRequestOptions(query: URLSearchParams): RequestOptions {
  const options: Record<string, unknown> = {}
  for (const name of TEXTS) if (query.get(name)) options[name] = query.get(name)
  for (const name of NUMBERS) if (query.has(name)) options[name] = parseInteger(query.get(name) ?? '')
  for (const name of FLAGS) if (query.has(name)) options[name] = isTrue(query.getAll(name))
  if (query.has('dryRun')) options.dryRun = query.getAll('dryRun')
  return options
}

const TEXTS = [
  'labelSelector',
  'fieldSelector',
  'continue',
  'resourceVersion',
  'resourceVersionMatch',
  'fieldManager',
  'fieldValidation',
]
const NUMBERS = ['limit', 'timeoutSeconds']
const FLAGS = ['allowWatchBookmarks', 'sendInitialEvents', 'force']

/** DeleteOptions of a request without a body. */
export function parseDeleteOptions(query: URLSearchParams): DeleteOptions {
  const grace = query.get('gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  return {
    ...(grace !== null && { gracePeriodSeconds: parseInteger(grace) }),
    ...(query.has('orphanDependents') && { orphanDependents: isTrue(query.getAll('orphanDependents')) }),
    ...(policy && { propagationPolicy: policy as NonNullable<DeleteOptions['propagationPolicy']> }),
    ...(query.has('dryRun') && { dryRun: query.getAll('dryRun') }),
  }
}

/** The words are Go's strconv.ParseInt. */
function parseInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  const value = Number(text)
  if (!Number.isSafeInteger(value)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`)
  }
  return value
}
