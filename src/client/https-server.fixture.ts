// A local HTTPS server in front of an ApiHandler, just enough HTTP for the tests of the transport.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ApiHandler, ApiRequest, PatchType, RequestOptions, Verb } from '../api/request.ts'
import { StatusError } from '../api/status-error.ts'
import { selfSigned } from '../base/x509/self-signed.fixture.ts'
import type { HttpsOptions } from './https-transport.ts'

export interface LocalServer {
  options: HttpsOptions
  /** Of the certificate, PEM. */
  key: string
  server: Server
  /** Headers of each request, newest last. */
  headers: Record<string, unknown>[]
  /** How many connections were made. */
  connections(): number
  close(): Promise<void>
}

export async function serveHttps(handle: ApiHandler): Promise<LocalServer> {
  const { cert, key } = selfSigned('test', { ipAddresses: ['127.0.0.1'] })
  const headers: Record<string, unknown>[] = []
  let connections = 0
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    headers.push(incoming.headers)
    void respond(handle, incoming, outgoing)
  })
  server.on('secureConnection', () => connections++)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    options: { server: `https://127.0.0.1:${port}/base`, ca: cert, token: 'secret' },
    key,
    server,
    headers,
    connections: () => connections,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function respond(
  handle: ApiHandler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const abort = new AbortController()
  outgoing.on('close', () => abort.abort())
  try {
    const answer = await handle({ ...(await parse(incoming)), signal: abort.signal })
    if (answer.kind === 'object') {
      const { warnings = [] } = answer
      const quoted = warnings.map(text => `299 - "${text.replace(/["\\]/g, '\\$&')}"`)
      if (quoted.length > 0) outgoing.setHeader('warning', quoted)
      outgoing.writeHead(answer.code, { 'content-type': 'application/json' })
      outgoing.end(JSON.stringify(answer.object))
      return
    }
    outgoing.writeHead(200, {
      'content-type': answer.kind === 'watch' ? 'application/json' : answer.contentType,
    })
    outgoing.flushHeaders()
    const pieces = answer.kind === 'watch' ? answer.events : answer.body
    for await (const piece of pieces)
      outgoing.write(piece instanceof Uint8Array ? piece : `${JSON.stringify(piece)}\n`)
    outgoing.end()
  } catch (error) {
    fail(outgoing, error)
  }
}

function fail(outgoing: ServerResponse, error: unknown): void {
  if (!(error instanceof StatusError)) outgoing.destroy()
  else if (outgoing.headersSent) outgoing.end(`${JSON.stringify({ type: 'ERROR', object: error.status })}\n`)
  else
    outgoing
      .writeHead(error.status.code, { 'content-type': 'application/json' })
      .end(JSON.stringify(error.status))
}

async function parse(incoming: IncomingMessage): Promise<ApiRequest> {
  const url = new URL(incoming.url ?? '', 'https://host')
  const path = url.pathname
    .replace(/^\/base/, '')
    .split('/')
    .slice(1)
    .map(decodeURIComponent)
  const [group, version] = path.shift() === 'api' ? ['', path.shift()!] : [path.shift()!, path.shift()!]
  const namespace = path[0] === 'namespaces' && path.length > 2 ? path.splice(0, 2)[1] : undefined
  const [resource = '', name, subresource] = path
  const verb = verbOf(incoming.method ?? '', url, name)
  const body = await bodyOf(incoming)
  const { options, query } = optionsOf(url)
  return {
    user: { name: 'test', groups: [] },
    verb,
    group,
    version,
    resource,
    options,
    query,
    ...(namespace && { namespace }),
    ...(name && { name }),
    ...(subresource && { subresource }),
    ...(verb === 'patch' && {
      patch: { type: incoming.headers['content-type'] as PatchType, document: body },
    }),
    ...((verb === 'create' || verb === 'update') && { body }),
    ...(verb.startsWith('delete') && { deleteOptions: body as NonNullable<ApiRequest['deleteOptions']> }),
  }
}

function verbOf(method: string, url: URL, name: string | undefined): Verb {
  if (method === 'GET') return url.searchParams.get('watch') === 'true' ? 'watch' : name ? 'get' : 'list'
  if (method === 'DELETE') return name ? 'delete' : 'deletecollection'
  return method === 'POST' ? 'create' : method === 'PUT' ? 'update' : 'patch'
}

function optionsOf(url: URL): { options: RequestOptions; query: Record<string, string> } {
  const { dryRun, ...rest } = Object.fromEntries(url.searchParams)
  return { options: { ...rest, ...(dryRun !== undefined && { dryRun: [dryRun] }) }, query: rest }
}

async function bodyOf(incoming: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer)
  return pieces.length > 0 ? JSON.parse(Buffer.concat(pieces).toString()) : undefined
}
