// What a request's head says: where it goes, who sends it, and what the authorizer is asked about it.
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { UserInfo } from '../../api/request.ts'
import type { Credentials } from '../authn/authenticator.ts'
import { type Attributes, resourceAttributes } from '../authz/authorizer.ts'
import { parseRequestInfo, type RequestInfo } from './request-info.ts'

const LONG_RUNNING_SUBRESOURCES = new Set(['attach', 'exec', 'proxy', 'log', 'portforward'])
const COLLECTION_VERBS = new Set(['list', 'watch', 'deletecollection'])

export function splitUrl(request: IncomingMessage): { path: string; query: URLSearchParams } {
  const url = request.url ?? '/'
  const mark = url.indexOf('?')
  return mark < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}

export function parseInfo(request: IncomingMessage, path: string, query: URLSearchParams): RequestInfo {
  return parseRequestInfo(request.method ?? 'GET', path, query)
}

/** Such a request has no time limit and no place among those in flight. */
export function isLongRunning(info: RequestInfo): boolean {
  return info.isResource && (info.verb === 'watch' || LONG_RUNNING_SUBRESOURCES.has(info.subresource ?? ''))
}

export function credentialsOf(request: IncomingMessage): Credentials {
  const socket = request.socket as TLSSocket
  const certificate = socket.getPeerX509Certificate?.()
  const bearer = /^bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '')
  return {
    ...(certificate && { clientCertificate: { certificate, trusted: socket.authorized } }),
    ...(bearer && { bearerToken: bearer[1] as string }),
  }
}

export function attributesFor(info: RequestInfo, user: UserInfo, query: URLSearchParams): Attributes {
  if (!info.isResource) return { user, verb: info.verb, path: info.path }
  const { verb, group, version, resource, subresource, namespace, name } = info
  const [fieldSelector, labelSelector] = [query.get('fieldSelector'), query.get('labelSelector')]
  return {
    ...resourceAttributes({ user, verb, group, version, resource, subresource, namespace, name }),
    ...(COLLECTION_VERBS.has(verb) && fieldSelector && { fieldSelector }),
    ...(COLLECTION_VERBS.has(verb) && labelSelector && { labelSelector }),
  }
}
