// One HTTP request from the first header to the last byte: authenticate, impersonate, authorize, route, answer.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ApiHandler, ApiResponse, UserInfo } from '../../api/request.ts'
import {
  badRequest,
  internalError,
  type Status,
  StatusError,
  tooManyRequests,
} from '../../api/status-error.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { ANONYMOUS, type Authenticator } from '../authn/authenticator.ts'
import { impersonate } from '../authn/impersonation.ts'
import { type Authorizer, requireAllowed } from '../authz/authorizer.ts'
import type { DiscoveryHandler } from '../discovery/discovery-handler.ts'
import type { ResourceIndex } from '../discovery/resource-index.ts'
import type { FlowControl } from '../flow-control/flow-control.ts'
import { TooManyRequests, type Turn } from '../flow-control/turn.ts'
import type { UpgradeRequest } from '../streaming/upgrade.ts'
import { buildApiRequest, checkRoute } from './api-request.ts'
import type { ConnectHandler } from './connect.ts'
import { deprecationOf } from './deprecated-resources.ts'
import { encodeObject, type ProtobufCodec, SharedEncoder } from './encode.ts'
import { answerHealth, type HealthChecks, isHealthPath } from './health.ts'
import type { RequestLabels, ServerMetrics } from './metrics.ts'
import { negotiate } from './negotiate.ts'
import { attributesFor, credentialsOf, isLongRunning, parseInfo, splitUrl } from './request-attributes.ts'
import type { RequestInfo, ResourceRequestInfo } from './request-info.ts'
import { send, sendStatus, sendText, wantsPretty, warningHeader } from './respond.ts'
import { streamBytes, streamWatch } from './stream-response.ts'
import { type TableLookup, transformer } from './transform.ts'
import { leaveWhenBegun, longestWait, REQUEST_TIMEOUT_MS, sendTooManyRequests } from './turns.ts'
import { answerOverWebSocket, hangUpWhenClosing, refuseUpgrade } from './upgrades.ts'

/** Takes over the connection of an upgrade request; who asks may do so. It owns the socket from then on. */
export type UpgradeHandler = (upgrade: UpgradeRequest) => Promise<void>

/** A request that was let through, for another server to answer. */
export interface AnsweredElsewhere {
  request: IncomingMessage
  response: ServerResponse
  user: UserInfo
  signal: AbortSignal
}

export interface RequestHandlerOptions {
  /** How to answer what another server serves; undefined: it is ours. */
  elsewhere?: (path: string) => ((asked: AnsweredElsewhere) => Promise<void>) | undefined
  /** Not wrapped by `authorized`: this side authorizes before it reads a body. */
  handle: ApiHandler
  authenticate: Authenticator
  authorizer: Authorizer
  resources: ResourceIndex
  discovery: DiscoveryHandler
  tables: TableLookup
  codec: ProtobufCodec
  health: HealthChecks
  metrics: ServerMetrics
  /** Left out: everybody is let in. */
  flows?: Pick<FlowControl, 'enter' | 'dump'>
  /** By 'pods/exec'. What is not here is answered with 501. */
  onUpgrade?: ReadonlyMap<string, UpgradeHandler>
  /** By 'pods/proxy': who answers requests whose answer is not an API object. */
  onConnect?: ReadonlyMap<string, ConnectHandler>
  log: Log
  clock: Clock
  /** Aborted when the server closes. */
  closing: AbortSignal
}

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
  path: string
  query: URLSearchParams
  info: RequestInfo
  /** Aborted when the client goes away, the request's time is up, or a long-running one meets the server's close. */
  signal: AbortSignal
  /** Its place among those that are worked on. */
  turn?: Turn
}

interface AskedInTurn {
  info: RequestInfo
  user: UserInfo
  query: URLSearchParams
  signal: AbortSignal
  /** Told what the request was sorted into. */
  response?: ServerResponse
}

// Reasons of their own: without one, each end of a request would make an exception with a stack.
const CLIENT_GONE = new Error('the client closed the connection')
const FINISHED = 'answered'

export class RequestHandler {
  readonly #options: RequestHandlerOptions
  readonly #encoder: SharedEncoder

  constructor(options: RequestHandlerOptions) {
    this.#options = options
    this.#encoder = new SharedEncoder(options.codec)
  }

  /** Never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setCommonHeaders(request, response, this.#options.closing.aborted)
    const gone = new AbortController()
    response.on('close', () => gone.abort(CLIENT_GONE))
    response.on('error', () => gone.abort(CLIENT_GONE))
    try {
      const { path, query } = splitUrl(request)
      const info = parseInfo(request, path, query)
      const longRunning = isLongRunning(info)
      const finish = this.#options.metrics.start(this.#labelsOf(info), longRunning, () =>
        this.#options.clock.now(),
      )
      response.once('close', () => finish(response.statusCode))
      const exchange = { request, response, path, query, info }
      if (longRunning) {
        await this.#serve({ ...exchange, signal: AbortSignal.any([gone.signal, this.#options.closing]) })
      } else {
        await this.#serveInTime(exchange, gone)
      }
    } catch (error) {
      await this.#fail(request, response, error)
    }
  }

  /** Never rejects. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => socket.destroy())
    try {
      const { path, query } = splitUrl(request)
      const info = parseInfo(request, path, query)
      const user = await this.#identify(request)
      const signal = hangUpWhenClosing(socket, this.#options.closing)
      await this.#inTurn({ info, user, query, signal }, async turn => {
        await requireAllowed(this.#options.authorizer, attributesFor(info, user, query))
        if (!info.isResource) throw badRequest('Upgrade request required')
        checkRoute(info, this.#options.resources.find(info.group, info.version, info.resource))
        const handler = this.#options.onUpgrade?.get(`${info.resource}/${info.subresource ?? ''}`)
        const upgrade = { request, socket, head, info, query, user, signal }
        const begun = () => turn?.leave()
        await (handler
          ? handler(upgrade)
          : answerOverWebSocket(upgrade, { ...this.#options, encoder: this.#encoder, begun }))
      })
    } catch (error) {
      refuseUpgrade(socket, this.#statusOf(error, request))
    }
  }

  async #serveInTime(exchange: Omit<Exchange, 'signal'>, gone: AbortController): Promise<void> {
    const finished = new AbortController()
    const overdue = this.#options.clock.sleep(REQUEST_TIMEOUT_MS, finished.signal).then(
      () => {
        if (gone.signal.aborted) return
        throw timedOut()
      },
      () => {},
    )
    try {
      await Promise.race([this.#serve({ ...exchange, signal: gone.signal }), overdue])
    } finally {
      finished.abort(FINISHED)
    }
  }

  async #serve(exchange: Exchange): Promise<void> {
    const { request, response, query, info, signal } = exchange
    const user = await this.#identify(request)
    await this.#inTurn({ info, user, query, signal, response }, async turn => {
      await requireAllowed(this.#options.authorizer, attributesFor(info, user, query))
      await this.#answer({ ...exchange, ...(turn && { turn }) }, user)
    })
  }

  /** As soon as there is a seat for it. Streams other than watches take none. Throws TooManyRequests. */
  async #inTurn(asked: AskedInTurn, work: (turn: Turn | undefined) => Promise<void>): Promise<void> {
    const { info, query, signal, response } = asked
    const isCounted = !isLongRunning(info) || info.verb === 'watch'
    const turn = isCounted ? this.#options.flows?.enter(asked) : undefined
    if (!turn) return work(undefined)
    response?.setHeader('X-Kubernetes-PF-FlowSchema-UID', turn.schemaUid)
    response?.setHeader('X-Kubernetes-PF-PriorityLevel-UID', turn.levelUid)
    try {
      if (!turn.isRunning) await turn.begin(signal, longestWait(info, query))
      await work(turn)
    } finally {
      turn.close()
    }
  }

  async #answer(exchange: Exchange, user: UserInfo): Promise<void> {
    const { request, response, path, info } = exchange
    const elsewhere = this.#options.elsewhere?.(path)
    if (elsewhere) {
      // What another server watches is begun there.
      if (isLongRunning(info)) exchange.turn?.leave()
      return elsewhere({ request, response, user, signal: exchange.signal })
    }
    if (info.isResource) return this.#serveResource(exchange, info, user)
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return sendText(request, response, 404, NOT_FOUND_TEXT)
    if (isHealthPath(path)) return this.#serveHealth(exchange)
    if (path === '/metrics') return this.#serveMetrics(exchange)
    const table = this.#options.flows?.dump(path, exchange.query)
    if (table !== undefined) return send(request, response, plainText(table))
    const answer = this.#options.discovery.answer(request, path, exchange.query)
    return answer ? send(request, response, answer) : sendText(request, response, 404, NOT_FOUND_TEXT)
  }

  /** Who is calling, or on whose behalf. Throws Unauthorized, or Forbidden to be somebody else. */
  async #identify(request: IncomingMessage): Promise<UserInfo> {
    const { authenticate, authorizer } = this.#options
    const caller = await authenticate(credentialsOf(request))
    return impersonate(caller ?? ANONYMOUS, request.headersDistinct, authorizer)
  }

  async #serveResource(exchange: Exchange, info: ResourceRequestInfo, user: UserInfo): Promise<void> {
    const { request, response, query, signal } = exchange
    const { resources, codec, handle } = this.#options
    const served = resources.find(info.group, info.version, info.resource)
    const resource = checkRoute(info, served, request.method)
    const connect = this.#options.onConnect?.get(`${info.resource}/${info.subresource ?? ''}`)
    if (connect) return connect({ request, response, info, query, user, signal })
    // Before anything changes: an answer that cannot be written must not follow a write.
    const groupVersion = info.group ? `${info.group}/${info.version}` : info.version
    const hasProtobuf = codec.canEncode(groupVersion, resource.kind)
    const what = info.verb === 'watch' ? 'watch' : 'object'
    // Reviews and their like are only answered, never kept: there is nothing to make a table of.
    const isKept = resource.verbs.includes('get') || resource.verbs.includes('list')
    const representation = negotiate(request.headers.accept, what, { protobuf: hasProtobuf, as: isKept })
    const convert = transformer({ ...this.#options, representation, resource, query })
    const apiRequest = await buildApiRequest({ request, info, query, user, resource, codec, signal })
    const answer = await handle(apiRequest)
    addWarnings(response, answer, deprecationOf(info))
    if (answer.kind === 'stream')
      return streamBytes(response, answer.contentType, answer.body, this.#options.log)
    if (answer.kind === 'watch') {
      const { clock, log } = this.#options
      const stream = {
        events: answer.events,
        representation,
        convert: leaveWhenBegun(convert, apiRequest.options, exchange.turn),
        encoder: this.#encoder,
        clock,
        log,
        signal,
      }
      return streamWatch(response, stream)
    }
    const body = encodeObject(convert(answer.object), representation.mediaType, codec, wantsPretty(request))
    return send(request, response, { code: answer.code, contentType: representation.mediaType, body })
  }

  async #serveHealth({ request, response, path, query }: Exchange): Promise<void> {
    const { health, log } = this.#options
    const onFailure = (check: string, error: unknown) => log.warn({ check, error }, 'a health check failed')
    const answer = await answerHealth(path, query, health, onFailure)
    return sendText(request, response, answer?.code ?? 404, answer?.text ?? NOT_FOUND_TEXT)
  }

  async #serveMetrics({ request, response }: Exchange): Promise<void> {
    const { registry } = this.#options.metrics
    const body = Buffer.from(await registry.metrics())
    return send(request, response, { code: 200, contentType: registry.contentType, body })
  }

  /** Only what is served becomes a label: callers must not be able to make up time series. */
  #labelsOf(info: RequestInfo): RequestLabels {
    if (!info.isResource || !this.#options.resources.find(info.group, info.version, info.resource)) {
      return { verb: '', group: '', version: '', resource: '', subresource: '', scope: '' }
    }
    const { verb, group, version, resource, namespace, name } = info
    const known = this.#options.resources.find(group, version, resource)?.subresources ?? []
    const subresource = known.find(entry => entry.name === info.subresource)?.name ?? ''
    const scope = name !== undefined ? 'resource' : namespace !== undefined ? 'namespace' : 'cluster'
    return { verb: verb.toUpperCase(), group, version, resource, subresource, scope }
  }

  async #fail(request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
    if (response.destroyed) return
    const status = this.#statusOf(error, request)
    if (response.headersSent) {
      response.destroy()
      return
    }
    // What is left of the body is not read: the connection cannot carry another request.
    if (!request.complete) response.setHeader('Connection', 'close')
    if (error instanceof TooManyRequests) return sendTooManyRequests(request, response, error)
    await sendStatus(request, response, status, this.#options.codec).catch(() => response.destroy())
  }

  #statusOf(error: unknown, request: IncomingMessage): Status {
    if (error instanceof StatusError) return error.status
    if (error instanceof TooManyRequests)
      return tooManyRequests(error.message, error.retryAfterSeconds).status
    if (error instanceof URIError) return badRequest('the URL is not properly percent-encoded').status
    this.#options.log.error(
      { error, method: request.method, url: request.url },
      'a request failed unexpectedly',
    )
    return internalError(error).status
  }
}

const plainText = (text: string) => ({
  code: 200,
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from(text),
})

const NOT_FOUND_TEXT = '404 page not found\n'

function setCommonHeaders(request: IncomingMessage, response: ServerResponse, closing: boolean): void {
  const given = request.headers['audit-id']
  const auditId = typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : randomUUID()
  response.setHeader('Audit-Id', auditId)
  response.setHeader('Cache-Control', 'no-cache, private')
  if (closing) response.setHeader('Connection', 'close')
}

/** No text is sent twice, whoever says it. */
function addWarnings(response: ServerResponse, answer: ApiResponse, deprecation: readonly string[]): void {
  const warnings = [...deprecation, ...(answer.kind === 'stream' ? [] : (answer.warnings ?? []))]
  if (warnings.length > 0) response.setHeader('Warning', [...new Set(warnings)].map(warningHeader))
}

function timedOut(): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: 'Timeout: request did not complete within the allotted timeout',
    details: {},
  })
}
