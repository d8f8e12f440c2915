// The kubelet's own port, for whoever asks the node and not the API server: Prometheus, metrics-server.
// Nobody is answered without a name and the right to ask. Upstream: pkg/kubelet/server/server.go.
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { TLSSocket } from 'node:tls'
import type { KubeletAnswer, KubeletRequest } from '../../api/node-access.ts'
import type { UserInfo } from '../../api/request.ts'
import { StatusError } from '../../api/status-error.ts'
import type { Log } from '../../base/log.ts'
import { mutualTls, type TlsIdentity } from '../../base/mutual-tls.ts'
import { subjectUser } from '../../base/x509/subject.ts'
import type { DelegatedAccess } from './delegated-access.ts'
import { text } from './kubelet-server.ts'
import { requestedAccess } from './requested-access.ts'

export interface KubeletListenerOptions {
  /** PEM. */
  tls: TlsIdentity
  access: Pick<DelegatedAccess, 'userOf' | 'allows'>
  answer: (request: KubeletRequest) => Promise<KubeletAnswer>
  log: Log
}

export class KubeletListener {
  readonly #options: KubeletListenerOptions
  readonly #server: Server

  constructor(options: KubeletListenerOptions) {
    this.#options = options
    this.#server = createServer(
      {
        ...mutualTls(options.tls),
        // Logs may be followed for as long as somebody likes.
        requestTimeout: 0,
      },
      (request, response) => void this.#handle(request, response),
    )
  }

  /** Answers the port; 0 is any free one. Rejects with EADDRINUSE where somebody else listens. */
  listen(port: number, host = '0.0.0.0'): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  close(): Promise<void> {
    return new Promise(resolve => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const closed = new AbortController()
    response.once('close', () => closed.abort())
    try {
      await write(request, response, await this.#answer(request, closed.signal))
    } catch (error) {
      if (closed.signal.aborted) return
      this.#options.log.warn({ error, path: request.url }, 'a request to the kubelet failed')
      response.destroy()
    }
  }

  async #answer(request: IncomingMessage, signal: AbortSignal): Promise<KubeletAnswer> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://kubelet')
    const method = request.method ?? 'GET'
    const user = await this.#userOf(request)
    if (!user) return text(401, 'Unauthorized')
    const refusal = await this.#refusal(user, method, pathname)
    if (refusal) return refusal
    try {
      return await this.#options.answer({ method, path: pathname, query: searchParams, signal })
    } catch (error) {
      if (error instanceof StatusError) return text(error.status.code ?? 500, error.message)
      throw error
    }
  }

  /** A trusted certificate before a token; whoever shows neither is nobody. */
  async #userOf(request: IncomingMessage): Promise<UserInfo | undefined> {
    const socket = request.socket as TLSSocket
    const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
    const shown = certificate && subjectUser(certificate.subject)
    if (shown) return { name: shown.name, groups: [...shown.groups, 'system:authenticated'] }
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    return token === undefined ? undefined : this.#options.access.userOf(token)
  }

  async #refusal(user: UserInfo, method: string, path: string): Promise<KubeletAnswer | undefined> {
    const { verb, subresources } = requestedAccess(method, path)
    for (const subresource of subresources) {
      if (await this.#options.access.allows(user, verb, subresource)) return undefined
    }
    const who = `user=${user.name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}]`
    return text(403, `Forbidden (${who})\n`)
  }
}

async function write(
  request: IncomingMessage,
  response: ServerResponse,
  { code, contentType, body }: KubeletAnswer,
): Promise<void> {
  response.writeHead(code, STATUS_CODES[code], { 'Content-Type': contentType })
  if (body instanceof Uint8Array) {
    response.end(request.method === 'HEAD' ? undefined : body)
    return
  }
  const stream = Readable.from(body, { objectMode: false })
  if (request.method !== 'HEAD') return pipeline(stream, response)
  stream.destroy()
  response.end()
}
