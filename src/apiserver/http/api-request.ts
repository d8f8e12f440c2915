// From a routed HTTP request to the seam's ApiRequest: options from the query, object or patch from the body.
import type { IncomingMessage } from 'node:http'
import type { ApiRequest, DeleteOptions, RequestOptions, UserInfo, Verb } from '../../api/request.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { badRequest, StatusError } from '../../api/status-error.ts'
import type { ProtobufCodec } from './encode.ts'
import { parseDeleteOptions, parseRequestOptions } from './query-options.ts'
import { parseObject, parsePatch, readBody } from './read-body.ts'
import type { ResourceRequestInfo } from './request-info.ts'

/** Upstream's MinRequestTimeout: a watch without a timeout of its own ends after one to two times this. */
const MIN_WATCH_SECONDS = 1800

const WRITES = new Set(['create', 'update', 'patch'])

export interface ApiRequestSource {
  request: IncomingMessage
  info: ResourceRequestInfo
  query: URLSearchParams
  user: UserInfo
  resource: ResourceInfo
  codec: ProtobufCodec
  signal: AbortSignal
}

/** Throws StatusError for bad options and bodies. */
export async function buildApiRequest(source: ApiRequestSource): Promise<ApiRequest> {
  const { request, info, query, user, resource, signal } = source
  const userAgent = request.headers['user-agent']
  return {
    user,
    verb: info.verb as Verb,
    group: info.group,
    version: info.version,
    resource: info.resource,
    ...(info.subresource && { subresource: info.subresource }),
    ...(resource.namespaced && info.namespace && { namespace: info.namespace }),
    ...nameOf(info),
    options: optionsFor(info, query),
    ...(info.subresource && { query: plainQuery(query) }),
    ...(info.parts.length > 3 && { subpath: info.parts.slice(3).join('/') }),
    ...(userAgent && { userAgent }),
    ...(await contentOf(source)),
    signal,
  }
}

/** A list's name comes from its field selector and counts for authorization only. */
function nameOf({ verb, name }: ResourceRequestInfo): { name?: string } {
  const isCollection = verb === 'list' || verb === 'watch' || verb === 'deletecollection'
  return name === undefined || isCollection ? {} : { name }
}

function optionsFor({ verb, name, path }: ResourceRequestInfo, query: URLSearchParams): RequestOptions {
  const parsed = parseRequestOptions(query)
  // The old form /watch/…/NAME watches one object; requests in the new form say so by a selector themselves.
  const isOldForm =
    verb === 'watch' && name !== undefined && path.includes('/watch/') && !parsed.fieldSelector
  // Over HTTP a write that says nothing about unknown fields is warned about them.
  if (WRITES.has(verb)) return { fieldValidation: 'Warn', ...parsed }
  const options = isOldForm ? { ...parsed, fieldSelector: `metadata.name=${name}` } : parsed
  if (verb !== 'watch' || options.timeoutSeconds) return options
  return { ...options, timeoutSeconds: Math.floor(MIN_WATCH_SECONDS * (1 + Math.random())) }
}

async function contentOf(source: ApiRequestSource): Promise<Partial<ApiRequest>> {
  const { request, info, query } = source
  const contentType = request.headers['content-type']
  switch (info.verb) {
    case 'create':
    case 'update':
      return objectOf(source, await readBody(request))
    case 'patch': {
      const { problems, ...patch } = parsePatch(await readBody(request), contentType, isStrict(query))
      return { patch, ...(problems.length > 0 && { bodyProblems: problems }) }
    }
    case 'delete':
    case 'deletecollection':
      return { deleteOptions: readDeleteOptions(await readBody(request), contentType, query, source.codec) }
    default:
      return {}
  }
}

function objectOf(
  { request, info, query, resource, codec }: ApiRequestSource,
  body: Buffer,
): Partial<ApiRequest> {
  const kind = kindOf(resource, info)
  const parsed = parseObject(body, request.headers['content-type'], kind, codec, isStrict(query))
  if (!parsed)
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): the body is empty`)
  const { value, problems, keys } = parsed
  return {
    body: value,
    ...(problems.length > 0 && { bodyProblems: problems }),
    ...(keys && { bodyKeys: keys }),
  }
}

function isStrict(query: URLSearchParams): boolean {
  return query.get('fieldValidation') !== 'Ignore'
}

function kindOf(resource: ResourceInfo, { subresource }: ResourceRequestInfo): string {
  return resource.subresources.find(entry => entry.name === subresource)?.kind ?? resource.kind
}

function readDeleteOptions(
  body: Buffer,
  contentType: string | undefined,
  query: URLSearchParams,
  codec: ProtobufCodec,
): DeleteOptions {
  const parsed = parseObject(body, contentType, 'DeleteOptions', codec)
  if (parsed === undefined) return parseDeleteOptions(query)
  const {
    kind,
    apiVersion: _,
    ...options
  } = parsed.value as DeleteOptions & { kind?: string; apiVersion?: string }
  if (kind === undefined || kind === '' || kind === 'DeleteOptions') return options
  throw badRequest('decoded object cannot be converted to DeleteOptions')
}

function plainQuery(query: URLSearchParams): Record<string, string | string[]> {
  const plain: Record<string, string | string[]> = {}
  for (const name of query.keys()) {
    const values = query.getAll(name)
    plain[name] = values.length === 1 ? (values[0] as string) : values
  }
  return plain
}

/** Throws what upstream's router answers when URL and resource do not fit together. */
export function checkRoute(
  info: ResourceRequestInfo,
  resource: ResourceInfo | undefined,
  method?: string,
): ResourceInfo {
  if (!resource || !fitsScope(info, resource)) throw resourceNotFound()
  const subresource = resource.subresources.find(entry => entry.name === info.subresource)
  if (info.subresource !== undefined && !subresource) throw resourceNotFound()
  if (info.parts.length > 3 && info.subresource !== 'proxy') throw resourceNotFound()
  // No verb stands for it, but what is proxied may answer it.
  if (info.subresource === 'proxy' && method === 'OPTIONS') return resource
  const verbs: readonly string[] = (subresource ?? resource).verbs
  if (!verbs.includes(info.verb) || isOnWrongPath(info, resource)) throw methodNotAllowed()
  return resource
}

/** A name that only a field selector gave is not part of the route. */
function fitsScope(
  { namespace, parts, resource: plural }: ResourceRequestInfo,
  resource: ResourceInfo,
): boolean {
  if (resource.namespaced) return namespace !== undefined || parts.length < 2
  return namespace === undefined || (plural === 'namespaces' && resource.group === '')
}

/** Creating and deleting many happens in one namespace; a create names its object in the body. */
function isOnWrongPath(info: ResourceRequestInfo, resource: ResourceInfo): boolean {
  if (info.verb !== 'create' && info.verb !== 'deletecollection') return false
  if (info.verb === 'create' && !info.subresource && info.parts.length > 1) return true
  return resource.namespaced && info.namespace === undefined
}

export function resourceNotFound(): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })
}

export function methodNotAllowed(): StatusError {
  return new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  })
}
