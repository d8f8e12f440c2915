// An ApiRequest as method, path and query of the Kubernetes HTTP API. No node: imports, no I/O.
import type { ApiRequest, Verb } from '../api/request.ts'

export interface HttpRequest {
  method: string
  /** With the query. */
  path: string
  body?: { contentType: string; text: string }
}

const METHODS: Record<Verb, string> = {
  get: 'GET',
  list: 'GET',
  watch: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
}

export function toHttp(request: ApiRequest): HttpRequest {
  const query = queryOf(request).toString()
  const body = bodyOf(request)
  return {
    method: METHODS[request.verb],
    path: query ? `${pathOf(request)}?${query}` : pathOf(request),
    ...(body && { body }),
  }
}

function pathOf({ group, version, namespace, resource, verb, name, subresource }: ApiRequest): string {
  const parts = group ? ['apis', group, version] : ['api', version]
  if (namespace) parts.push('namespaces', namespace)
  parts.push(resource)
  // A collection is created into, listed and watched; the name of a new object is in its body.
  const onCollection =
    (verb === 'create' && !subresource) || ['list', 'watch', 'deletecollection'].includes(verb)
  if (name && !onCollection) parts.push(name)
  // Subresources may have a path of their own below them ('proxy/metrics').
  if (subresource) parts.push(...subresource.split('/'))
  return `/${parts.map(encodeURIComponent).join('/')}`
}

function queryOf({ verb, options = {}, query = {} }: ApiRequest): URLSearchParams {
  const parameters = new URLSearchParams()
  const all = { ...options, ...(verb === 'watch' && { watch: true }), ...query }
  for (const [name, value] of Object.entries(all)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one))
  }
  return parameters
}

function bodyOf({ verb, body, patch, deleteOptions }: ApiRequest): HttpRequest['body'] {
  // JSON is YAML, so an apply patch goes as JSON too.
  if (patch) return { contentType: patch.type, text: JSON.stringify(patch.document) }
  const deletes = verb === 'delete' || verb === 'deletecollection'
  const document = deletes ? { kind: 'DeleteOptions', apiVersion: 'v1', ...deleteOptions } : body
  if (document === undefined) return undefined
  return { contentType: 'application/json', text: JSON.stringify(document) }
}
