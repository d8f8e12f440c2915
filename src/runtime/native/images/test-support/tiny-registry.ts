// A registry in the test's own process that can be told to misbehave: break off downloads, lie, ask for tokens.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestImage } from './test-image.ts'

export interface TinyRegistryOptions {
  /** Repository → tag → image. */
  images: Record<string, Record<string, TestImage>>
  /** Called before a blob is sent; true means that it has answered itself. */
  onBlob?(digest: string, content: Buffer, request: IncomingMessage, response: ServerResponse): boolean
  /** Demands `Bearer` tokens of this value, given out to this user. */
  token?: { value: string; user?: string; password?: string }
}

export interface TinyRegistry {
  /** '127.0.0.1:PORT' */
  host: string
  /** 'METHOD path' of each request, as they came. */
  requests: string[]
  close(): Promise<void>
}

export async function startTinyRegistry(options: TinyRegistryOptions): Promise<TinyRegistry> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answer(options, request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(options: TinyRegistryOptions, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url!, `http://${request.headers.host}`)
  if (url.pathname === '/token') {
    giveToken(options, request, response, url)
    return
  }
  if (options.token && request.headers.authorization !== `Bearer ${options.token.value}`) {
    const error = request.headers.authorization ? ',error="insufficient_scope"' : ''
    const challenge = `Bearer realm="http://${request.headers.host}/token",service="tiny",scope="repository:x:pull"${error}`
    response.writeHead(401, { 'www-authenticate': challenge }).end()
    return
  }
  const [, repository = '', kind, name = ''] =
    /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? []
  const tags = options.images[repository] ?? {}
  const content = kind === 'manifests' ? manifestOf(tags, name) : blobOf(tags, name)
  if (!content) {
    response.writeHead(404).end()
    return
  }
  if (kind === 'manifests') {
    response.setHeader('content-type', 'application/vnd.oci.image.manifest.v1+json')
    response.setHeader('docker-content-digest', content.digest)
  } else if (options.onBlob?.(name, content.body, request, response)) return
  sendRange(content.body, request, response)
}

function sendRange(body: Buffer, request: IncomingMessage, response: ServerResponse): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  if (from > 0) {
    response.statusCode = 206
    response.setHeader('content-range', `bytes ${from}-${body.length - 1}/${body.length}`)
  }
  response.setHeader('content-length', body.length - from)
  response.end(request.method === 'HEAD' ? undefined : body.subarray(from))
}

function manifestOf(tags: Record<string, TestImage>, name: string) {
  const image = tags[name] ?? Object.values(tags).find(image => image.manifestDigest === name)
  return image && { body: image.manifest, digest: image.manifestDigest }
}

function blobOf(tags: Record<string, TestImage>, digest: string) {
  const body = Object.values(tags)
    .map(image => image.blobs.get(digest))
    .find(content => content)
  return body && { body, digest }
}

function giveToken(
  { token }: TinyRegistryOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): void {
  const wanted = token?.user && `Basic ${Buffer.from(`${token.user}:${token.password}`).toString('base64')}`
  if (wanted && request.headers.authorization && request.headers.authorization !== wanted) {
    response.writeHead(401).end()
    return
  }
  const known = !wanted || request.headers.authorization === wanted
  const fitting =
    url.searchParams.get('service') === 'tiny' && url.searchParams.get('scope') === 'repository:x:pull'
  response.setHeader('content-type', 'application/json')
  response.end(
    JSON.stringify({ token: known && fitting ? token!.value : 'nothing-allowed', expires_in: 300 }),
  )
}
