// What a URL and a method ask for. Pure; follows apiserver's requestinfo.go NewRequestInfo.
export interface NonResourceRequestInfo {
  isResource: false
  /** Lower-case method. */
  verb: string
  path: string
}

export interface ResourceRequestInfo {
  isResource: true
  verb: string
  path: string
  group: string
  version: string
  /** As the URL names it; for the resource `namespaces` itself, the object's own name. */
  namespace?: string
  resource: string
  name?: string
  subresource?: string
  /** Path segments from the resource on: pods/p/proxy/a/b has five. */
  parts: readonly string[]
}

export type RequestInfo = NonResourceRequestInfo | ResourceRequestInfo

const VERBS: Record<string, string> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])

/** Throws URIError for a path that is not valid percent-encoding. */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const nonResource: NonResourceRequestInfo = { isResource: false, verb: method.toLowerCase(), path }
  const segments = path
    .split('/')
    .filter(part => part !== '')
    .map(decodeURIComponent)
  const [prefix, ...afterPrefix] = segments
  if (prefix !== 'api' && prefix !== 'apis') return nonResource
  const grouped = prefix === 'apis'
  if (afterPrefix.length < (grouped ? 3 : 2)) return nonResource
  const group = grouped ? (afterPrefix[0] ?? '') : ''
  const [version = '', ...rest] = grouped ? afterPrefix.slice(1) : afterPrefix
  const isWatchPath = rest[0] === 'watch' && rest.length > 1
  const target = parseTarget(isWatchPath ? rest.slice(1) : rest)
  const verb = isWatchPath ? 'watch' : verbFor(method, target.name, query)
  const named = target.name ?? nameFromSelector(verb, query)
  return { isResource: true, path, group, version, verb, ...target, ...(named && { name: named }) }
}

type Target = Pick<ResourceRequestInfo, 'namespace' | 'resource' | 'name' | 'subresource' | 'parts'>

function parseTarget(segments: readonly string[]): Target {
  const inNamespace = segments[0] === 'namespaces' && segments.length > 1
  const deeper = inNamespace && segments.length > 2 && !NAMESPACE_SUBRESOURCES.has(segments[2] ?? '')
  const parts = deeper ? segments.slice(2) : segments
  const [resource = '', name, subresource] = parts
  return {
    ...(inNamespace && { namespace: segments[1] }),
    resource,
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
    parts,
  }
}

function verbFor(method: string, name: string | undefined, query: URLSearchParams): string {
  const verb = VERBS[method] ?? ''
  if (name !== undefined) return verb
  if (verb === 'delete') return 'deletecollection'
  if (verb !== 'get') return verb
  return isTrue(query.getAll('watch')) ? 'watch' : 'list'
}

/** A list that selects exactly one name is authorized as if it asked for that object. */
function nameFromSelector(verb: string, query: URLSearchParams): string | undefined {
  if (verb !== 'list' && verb !== 'watch' && verb !== 'deletecollection') return undefined
  for (const term of (query.get('fieldSelector') ?? '').split(',')) {
    const match = /^metadata\.name==?([^=/%]+)$/.exec(term)
    if (match && match[1] !== '.' && match[1] !== '..') return match[1]
  }
  return undefined
}

/** Upstream's Convert_Slice_string_To_bool: present and neither 'false' nor '0'. */
export function isTrue(values: readonly string[]): boolean {
  const [first] = values
  return first !== undefined && first.toLowerCase() !== 'false' && first !== '0'
}
