// pods/log: picks the container and hands over to the node. Upstream: pod/strategy.go LogLocation, validateContainer.

import type { LogOptions, ReadAccess } from '../../../api/node-access.ts'
import type { ApiRequest, ApiResponse } from '../../../api/request.ts'
import { badRequest, type FieldErrorLike, invalid } from '../../../api/status-error.ts'
import type { Pod } from '../../../api/types/core-v1.ts'
import type { Endpoint } from '../endpoint.ts'
import { asPod } from '../strategies/core/pod-strategy.ts'
import type { SubresourceHandler } from './subresource.ts'

export function podLogHandler(nodeAccess: ReadAccess): SubresourceHandler {
  return async (endpoint: Endpoint, request: ApiRequest): Promise<ApiResponse> => {
    const { namespace, name = '', query = {}, signal = new AbortController().signal } = request
    const options = parseLogOptions(query, name)
    const pod = asPod(endpoint.store.get(namespace, name).object)
    options.container = chooseContainer(pod, options.container)
    // Before a pod has a node there is nothing to read, which is no error.
    const body = pod.spec.nodeName
      ? await nodeAccess.logs(pod.spec.nodeName, reference(pod), options, signal)
      : nothing()
    return { kind: 'stream', contentType: 'text/plain', body }
  }
}

function reference({ metadata: { namespace = '', name, uid } }: Pod) {
  return { namespace, name, uid }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** The one asked for, or the only one there is. Throws BadRequest. */
export function chooseContainer({ metadata: { name }, spec }: Pod, asked: string): string {
  const all = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])].map(
    container => container.name,
  )
  if (asked) {
    if (all.includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${name}`)
  }
  const [only, ...more] = spec.containers
  if (only && more.length === 0) return only.name
  const choice = only ? `, choose one of: [${all.join(' ')}]` : ''
  throw badRequest(`a container name must be specified for pod ${name}${choice}`)
}

type Query = NonNullable<ApiRequest['query']>

const text = (query: Query, field: string): string | undefined => {
  const value = query[field]
  return Array.isArray(value) ? value[0] : value
}

/** Upstream: the conversion of url.Values to PodLogOptions and ValidatePodLogOptions. */
function parseLogOptions(query: Query, name: string): LogOptions {
  const errors: FieldErrorLike[] = []
  const number = (field: string, least: number) => readNumber(query, field, least, errors)
  const isOn = (field: string) => isTrue(text(query, field))
  const [tailLines, limitBytes, sinceSeconds] = [
    number('tailLines', 0),
    number('limitBytes', 1),
    number('sinceSeconds', 1),
  ]
  const sinceTime = text(query, 'sinceTime')
  if (sinceTime && sinceSeconds !== undefined) {
    errors.push({
      reason: 'FieldValueForbidden',
      field: '',
      message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    })
  }
  const stream = text(query, 'stream')
  errors.push(...streamErrors(stream, tailLines))
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, name, errors)
  return {
    container: text(query, 'container') ?? '',
    follow: isOn('follow'),
    previous: isOn('previous'),
    timestamps: isOn('timestamps'),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(sinceTime && { sinceTime }),
    ...((stream === 'Stdout' || stream === 'Stderr') && { stream }),
  }
}

function streamErrors(stream: string | undefined, tailLines: number | undefined): FieldErrorLike[] {
  if (!stream || stream === 'All') return []
  if (stream !== 'Stdout' && stream !== 'Stderr') {
    const message = `Unsupported value: ${JSON.stringify(stream)}: supported values: "All", "Stderr", "Stdout"`
    return [{ reason: 'FieldValueNotSupported', field: 'stream', message }]
  }
  if (tailLines === undefined) return []
  const message = 'Forbidden: `tailLines` and specific `stream` are mutually exclusive for now'
  return [{ reason: 'FieldValueForbidden', field: '', message }]
}

function readNumber(
  query: Query,
  field: string,
  least: number,
  errors: FieldErrorLike[],
): number | undefined {
  const value = text(query, field)
  if (value === undefined || value === '') return undefined
  if (!/^-?\d+$/.test(value))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
  if (Number(value) < least) {
    const bound = least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0'
    errors.push({ reason: 'FieldValueInvalid', field, message: `Invalid value: ${value}: ${bound}` })
  }
  return Number(value)
}

/** Any value but these means true, as upstream converts query parameters. */
function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== '0' && value.toLowerCase() !== 'false'
}
