// A whole HTTPS server over a map, for tests: keys in a temporary directory, everything real but the registry.
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiHandler } from '../../api/request.ts'
import { builtinResources } from '../../api/resources.ts'
import { type Clock, SystemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import {
  type Authenticator,
  clientCertificateAuthenticator,
  unionAuthenticator,
} from '../authn/authenticator.ts'
import { staticTokenAuthenticator } from '../authn/static-token-authenticator.ts'
import { simpleAuthorizer } from '../authz/simple-authorizer.ts'
import { DiscoveryHandler, type OpenApiSource } from '../discovery/discovery-handler.ts'
import { ResourceIndex } from '../discovery/resource-index.ts'
import { versionInfo } from '../discovery/version-info.ts'
import { ensurePki, type Pki } from '../pki/pki.ts'
import { tableFor } from '../tables/table-for.ts'
import type { ProtobufCodec } from './encode.ts'
import type { HealthChecks } from './health.ts'
import { createHttpServer, type HttpServer } from './http-server.ts'
import { MapBackedHandler } from './map-backed-handler.ts'
import { ServerMetrics } from './metrics.ts'

export interface TestServer extends AsyncDisposable {
  server: HttpServer
  port: number
  pki: Pki
  directory: string
  backend: MapBackedHandler
  call(method: string, path: string, call?: Call): Promise<Reply>
}

export interface Call {
  headers?: Record<string, string | string[]>
  body?: string | Uint8Array
  /** 'admin' (the default) shows the admin's certificate; a string is a bearer token. */
  as?: 'admin' | 'nobody' | { token: string } | { certificate: string; privateKey: string }
}

export interface Reply {
  code: number
  headers: Record<string, string | string[] | undefined>
  bytes: Buffer
  text: string
  json: () => Record<string, unknown>
}

export interface TestServerOptions {
  handle?: ApiHandler
  health?: HealthChecks
  authenticators?: readonly Authenticator[]
  codec?: ProtobufCodec
  clock?: Clock
}

export const JANE = 'jane-token'

/** JSON in disguise: enough to see which codec was used. */
export const fakeProtobuf: ProtobufCodec = {
  encode: object => Buffer.concat([Buffer.from('k8s\0'), Buffer.from(JSON.stringify(object))]),
  decode: bytes => JSON.parse(Buffer.from(bytes).subarray(4).toString()) as unknown,
}

const openApi: OpenApiSource = {
  v2Json: () => ({ swagger: '2.0', paths: {} }),
  v2Protobuf: () => Buffer.from([0x0a, 0x03, 0x32, 0x2e, 0x30]),
  v3Index: () => ({ paths: { 'api/v1': { serverRelativeURL: '/openapi/v3/api/v1?hash=1' } } }),
  v3: path => (path === 'api/v1' ? { openapi: '3.0.0', paths: {} } : undefined),
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const clock = options.clock ?? new SystemClock()
  const directory = await mkdtemp(join(tmpdir(), 'apiserver-'))
  const pki = await ensurePki({ directory, addresses: [], names: [], clock: new SystemClock() })
  const backend = new MapBackedHandler()
  const resources = new ResourceIndex(builtinResources)
  const codec = options.codec ?? fakeProtobuf
  const users = new Map([[JANE, { name: 'jane', groups: ['dev'] }]])
  let port = 0
  const server = createHttpServer({
    handle: options.handle ?? backend.handle,
    authenticate: unionAuthenticator([
      clientCertificateAuthenticator,
      staticTokenAuthenticator(users),
      ...(options.authenticators ?? []),
    ]),
    authorizer: simpleAuthorizer,
    resources,
    codec,
    discovery: new DiscoveryHandler({
      resources,
      codec,
      openApi,
      version: versionInfo(),
      serverAddress: () => `127.0.0.1:${port}`,
    }),
    tables: tableFor,
    health: options.health ?? { livez: [], readyz: [] },
    metrics: new ServerMetrics(),
    log: silentLog,
    clock,
    tls: { ...pki.server, clientAuthority: pki.authorityCertificate },
  })
  port = (await server.listen(0, '127.0.0.1')).port
  return {
    server,
    port,
    pki,
    directory,
    backend,
    call: (method, path, call = {}) => callServer(port, pki, method, path, call),
    [Symbol.asyncDispose]: async () => {
      await server.close(0)
      await rm(directory, { recursive: true })
    },
  }
}

/** TLS options and headers of a caller. */
export function identity(pki: Pki, as: Call['as'] = 'admin') {
  const ca = pki.authorityCertificate
  if (as === 'nobody') return { ca, headers: {} }
  if (as === 'admin') return { ca, cert: pki.admin.certificate, key: pki.admin.privateKey, headers: {} }
  if ('token' in as) return { ca, headers: { Authorization: `Bearer ${as.token}` } }
  return { ca, cert: as.certificate, key: as.privateKey, headers: {} }
}

function callServer(port: number, pki: Pki, method: string, path: string, call: Call): Promise<Reply> {
  const { headers, ...tls } = identity(pki, call.as)
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, agent: false as const, ...tls }
    const request = httpsRequest({ ...options, headers: { ...headers, ...call.headers } }, async response => {
      const chunks: Buffer[] = []
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      const text = bytes.toString()
      const json = () => JSON.parse(text) as Record<string, unknown>
      resolve({ code: response.statusCode ?? 0, headers: response.headers, bytes, text, json })
    })
    request.on('error', reject)
    request.end(call.body)
  })
}
