// Talks to a server behind this one: hands requests on as the user who made them, and asks what it serves.
// Upstream: kube-aggregator pkg/apiserver/handler_proxy.go.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { pipeline } from 'node:stream/promises'
import type { UserInfo } from '../../api/request.ts'
import { StatusError } from '../../api/status-error.ts'
import type { ObjectLookup } from '../admission/object-lookup.ts'
import { serviceAddress } from '../service-address.ts'
import type { ApiService } from './api-service.ts'
import type { FrontProxy } from './front-proxy.ts'

/** Of one connection only (RFC 9110 7.6.1), or ours to say. */
const DROPPED =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|authorization|x-remote-.*|impersonate-.*)$/

export interface BackendParts {
  lookup: ObjectLookup
  identity: FrontProxy
}

export function unavailable(message: string): StatusError {
  return new StatusError({ code: 503, reason: 'ServiceUnavailable', message })
}

/** Connection options. Throws ServiceUnavailable when there is nothing to connect to. */
async function connectionTo(
  { spec }: ApiService,
  { lookup, identity }: BackendParts,
): Promise<RequestOptions> {
  const { namespace = '', name = '', port = 443 } = spec.service ?? {}
  const address = await serviceAddress({ namespace, name, port }, lookup)
  if ('problem' in address) {
    throw unavailable(
      address.problem === 'missing'
        ? `service "${name}" not found`
        : `no endpoints available for service "${name}"`,
    )
  }
  return {
    host: address.host,
    port: address.port,
    servername: `${name}.${namespace}.svc`,
    cert: identity.certificate,
    key: identity.privateKey,
    rejectUnauthorized: spec.insecureSkipTLSVerify !== true,
    agent: false,
    ...(spec.caBundle && { ca: Buffer.from(spec.caBundle, 'base64') }),
  }
}

/** Hands the request on and the answer back, both as they come. */
export async function forward(
  service: ApiService,
  {
    request,
    response,
    user,
    signal,
  }: { request: IncomingMessage; response: ServerResponse; user: UserInfo; signal: AbortSignal },
  parts: BackendParts,
): Promise<void> {
  const options = await connectionTo(service, parts)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const outgoing = httpsRequest(
    {
      ...options,
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: { ...kept(request.headers), ...userHeaders(user), host: `${options.servername}` },
      signal,
    },
    resolve,
  )
  outgoing.once('error', reject)
  request.pipe(outgoing)
  let answer: IncomingMessage
  try {
    answer = await promise
  } catch (error) {
    throw unavailable(`error trying to reach service: ${error instanceof Error ? error.message : error}`)
  }
  response.writeHead(answer.statusCode ?? 502, kept(answer.headers))
  response.flushHeaders()
  await pipeline(answer, response).catch(() => response.destroy())
}

function kept(headers: NodeJS.Dict<string | string[]>): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !DROPPED.test(name)))
}

/** Who it is, in the headers that extension-apiserver-authentication names. */
export function userHeaders({ name, uid, groups, extra = {} }: UserInfo): OutgoingHttpHeaders {
  const more = Object.entries(extra).map(([key, values]) => [
    `x-remote-extra-${encodeURIComponent(key)}`,
    values,
  ])
  return {
    'x-remote-user': name,
    'x-remote-group': groups,
    ...(uid && { 'x-remote-uid': uid }),
    ...Object.fromEntries(more),
  }
}

/** GET as the aggregator itself. Answers parsed JSON; throws Error. */
export async function ask(
  service: ApiService,
  path: string,
  parts: BackendParts,
  signal: AbortSignal,
): Promise<unknown> {
  const options = await connectionTo(service, parts)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = {
    ...userHeaders({ name: 'system:kube-aggregator', groups: ['system:masters'] }),
    accept: 'application/json',
  }
  const outgoing = httpsRequest({ ...options, path, headers, signal }, resolve)
  outgoing.once('error', reject)
  outgoing.end()
  const answer = await promise
  const chunks: Buffer[] = []
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  if (answer.statusCode !== 200) {
    throw new Error(`bad status from https://${options.host}:${options.port}${path}: ${answer.statusCode}`)
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}
