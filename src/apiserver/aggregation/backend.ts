// Talks to a server behind this one: hands requests on as the user who made them, and asks what it serves.
// Upstream: kube-aggregator pkg/apiserver/handler_proxy.go.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import { pipeline } from 'node:stream/promises'
import type { KubeObject } from '../../api/kube-object.ts'
import type { UserInfo } from '../../api/request.ts'
import { type Status, StatusError } from '../../api/status-error.ts'
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
  const aggregator = { name: 'system:kube-aggregator', groups: ['system:masters'] }
  const { code, text, from } = await get(service, path, aggregator, parts, signal)
  if (code !== 200) throw new Error(`bad status from ${from}: ${code}`)
  return JSON.parse(text)
}

/** GET as the user. Answers the object; throws StatusError as the other server has made it. */
export async function read(
  service: ApiService,
  path: string,
  user: UserInfo,
  parts: BackendParts,
  signal?: AbortSignal,
): Promise<KubeObject> {
  const { code, text } = await get(service, path, user, parts, signal).catch(error => {
    if (error instanceof StatusError) throw error
    throw unavailable(`error trying to reach service: ${error instanceof Error ? error.message : error}`)
  })
  const answer = parsed(text)
  if (code === 200 && answer?.kind) return answer
  if (answer?.kind === 'Status') throw new StatusError(answer as unknown as Status)
  const message =
    code === 404 ? 'the server could not find the requested resource' : text.slice(0, 200) || `status ${code}`
  throw new StatusError({ code, reason: code === 404 ? 'NotFound' : 'Unknown', message })
}

function parsed(text: string): KubeObject | undefined {
  try {
    return JSON.parse(text) as KubeObject
  } catch {
    return undefined
  }
}

async function get(
  service: ApiService,
  path: string,
  user: UserInfo,
  parts: BackendParts,
  signal?: AbortSignal,
): Promise<{ code: number; text: string; from: string }> {
  const options = await connectionTo(service, parts)
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = { ...userHeaders(user), accept: 'application/json' }
  const outgoing = httpsRequest({ ...options, path, headers, ...(signal && { signal }) }, resolve)
  outgoing.once('error', reject)
  outgoing.end()
  const answer = await promise
  const chunks: Buffer[] = []
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  const from = `https://${options.host}:${options.port}${path}`
  return { code: answer.statusCode ?? 502, text: Buffer.concat(chunks).toString('utf8'), from }
}
