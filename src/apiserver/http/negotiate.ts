// Which representation a client wants: the Accept header, as apiserver's negotiation package reads it.
import { StatusError } from '../../api/status-error.ts'

export const JSON_TYPE = 'application/json'
export const YAML_TYPE = 'application/yaml'
export const PROTOBUF_TYPE = 'application/vnd.kubernetes.protobuf'

export interface Representation {
  mediaType: typeof JSON_TYPE | typeof YAML_TYPE | typeof PROTOBUF_TYPE
  /** 'Table' and the PartialObjectMetadata kinds convert the answer; left out: the object itself. */
  as?: { kind: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'; version: 'v1' | 'v1beta1' }
}

export interface AcceptClause {
  type: string
  parameters: Record<string, string>
  quality: number
}

/** Clauses by descending quality; order is kept among equals. */
export function parseAccept(header: string): AcceptClause[] {
  const clauses = header
    .split(',')
    .map(parseClause)
    .filter(clause => clause.type !== '')
  return clauses.sort((left, right) => right.quality - left.quality)
}

function parseClause(text: string): AcceptClause {
  const [type = '', ...rest] = text.split(';').map(part => part.trim())
  const parameters: Record<string, string> = {}
  for (const part of rest) {
    const [key = '', value = ''] = part.split('=', 2)
    parameters[key.trim().toLowerCase()] = value.trim().replace(/^"(.*)"$/, '$1')
  }
  const quality = Number(parameters.q ?? 1)
  return { type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality }
}

/**
 * Throws NotAcceptable. `protobuf`: whether the kind has a protobuf form; `as`: whether it can be shown as something
 * else, a table. Clients that prefer what it has not get the next.
 */
export function negotiate(
  header: string | undefined,
  what: 'object' | 'watch' | 'status',
  { protobuf = true, as: hasTable = true }: { protobuf?: boolean; as?: boolean } = {},
): Representation {
  if (!header) return { mediaType: JSON_TYPE }
  const offered = ACCEPTED.filter(type => !(type === YAML_TYPE && what === 'watch'))
  for (const clause of parseAccept(header)) {
    const mediaType = mediaTypeFor(clause.type)
    if (!mediaType || !offered.includes(mediaType) || (mediaType === PROTOBUF_TYPE && !protobuf)) continue
    if (!clause.parameters.as || what === 'status') return { mediaType }
    const as = transformFor(clause.parameters)
    if (as && hasTable && !(as.kind === 'Table' && mediaType === PROTOBUF_TYPE)) return { mediaType, as }
  }
  throw notAcceptable(offered)
}

export const ACCEPTED: readonly string[] = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE]

function mediaTypeFor(type: string): Representation['mediaType'] | undefined {
  if (type === '*/*' || type === 'application/*' || type === JSON_TYPE) return JSON_TYPE
  return ([YAML_TYPE, PROTOBUF_TYPE] as const).find(candidate => candidate === type)
}

function transformFor({ as, v, g }: Record<string, string>): Representation['as'] {
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined
  const kind = (['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'] as const).find(k => k === as)
  return kind && { kind, version: v }
}

export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${accepted.join(', ')}`,
  })
}

export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  })
}
