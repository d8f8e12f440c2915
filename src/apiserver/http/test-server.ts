// A whole HTTPS server over a map, for tests: keys in a temporary directory, everything real but the registry.
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiHandler } from '../../api/request.ts'
import { builtinResources } from '../../api/resources.ts'
import { type Clock, SystemClock } from '../../base/clock.ts'
import { silentLog } from '../../base/log.ts'
import { MemoryStorage } from '../../storage/memory/memory-storage.ts'
import { clientCertificateAuthenticator, unionAuthenticator } from '../authn/authenticator.ts'
import { ServiceAccountTokens } from '../authn/service-account-tokens.ts'
import { staticTokenAuthenticator } from '../authn/static-token-authenticator.ts'
import { ClusterAuthorizer } from '../authz/cluster-authorizer.ts'
import { defaultPolicy } from '../authz/rbac/bootstrap/default-policy.ts'
import { withVirtualResources } from '../authz/virtual-resources.ts'
import { DiscoveryHandler } from '../discovery/discovery-handler.ts'
import { ResourceIndex } from '../discovery/resource-index.ts'
import { versionInfo } from '../discovery/version-info.ts'
import type { FlowControl } from '../flow-control/flow-control.ts'
import { openApiSource } from '../openapi/openapi-documents.ts'
import { ensurePki, type Pki } from '../pki/pki.ts'
import { tableFor } from '../tables/table-for.ts'
import type { HealthChecks } from './health.ts'
import { createHttpServer, type HttpServer } from './http-server.ts'
import { kubernetesProtobuf } from './kubernetes-protobuf-codec.ts'
import { MapBackedHandler } from './map-backed-handler.ts'
import { ServerMetrics } from './metrics.ts'

export interface TestServer extends AsyncDisposable {
  server: HttpServer
  port: number
  pki: Pki
  directory: string
  backend: MapBackedHandler
  tokens: ServiceAccountTokens
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
  clock?: Clock
  flows?: FlowControl
}

export const JANE = 'jane-token'

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const clock = options.clock ?? new SystemClock()
  const directory = await mkdtemp(join(tmpdir(), 'apiserver-'))
  const pki = await ensurePki({ directory, addresses: [], names: [], clock: new SystemClock() })
  const backend = new MapBackedHandler()
  const resources = new ResourceIndex(builtinResources)
  const codec = kubernetesProtobuf
  const users = new Map([[JANE, { name: 'jane', groups: ['dev'] }]])
  const tokens = new ServiceAccountTokens({
    privateKey: pki.serviceAccountKey,
    find: async (resource, namespace, name) => backend.find('', resource, namespace, name),
    clock,
  })
  const { authorizer } = await defaultAuthorizer()
  let port = 0
  const server = createHttpServer({
    handle: withVirtualResources(options.handle ?? backend.handle, {
      authorizer,
      reviewToken: (token, audiences) => tokens.verify(token, audiences.length > 0 ? audiences : undefined),
    }),
    authenticate: unionAuthenticator([
      clientCertificateAuthenticator,
      staticTokenAuthenticator(users),
      tokens.authenticate,
    ]),
    authorizer,
    resources,
    codec,
    discovery: new DiscoveryHandler({
      resources,
      codec,
      openApi: openApiSource,
      version: versionInfo(),
      openId: { issuer: tokens.issuer, keys: tokens.publicKeys },
      serverAddress: () => `127.0.0.1:${port}`,
    }),
    tables: tableFor,
    health: options.health ?? { livez: [], readyz: [] },
    metrics: new ServerMetrics(),
    ...(options.flows && { flows: options.flows }),
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
    tokens,
    call: (method, path, call = {}) => callServer(port, pki, method, path, call),
    [Symbol.asyncDispose]: async () => {
      await server.close(0)
      await rm(directory, { recursive: true })
    },
  }
}

/** Judges by the roles that every cluster begins with. */
async function defaultAuthorizer(): Promise<ClusterAuthorizer> {
  const storage = new MemoryStorage()
  const { roles, bindings } = defaultPolicy()
  for (const { resource, object } of [...roles, ...bindings]) {
    const { namespace, name } = object.metadata
    const where = namespace ? `${namespace}/${name}` : name
    const stored = { ...object, metadata: { ...object.metadata, uid: name } }
    await storage.create(`/registry/rbac.authorization.k8s.io/${resource}/${where}`, stored as never)
  }
  const access = new ClusterAuthorizer(storage)
  await access.load()
  return access
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
    // Node frames a DELETE's body only when told its length.
    const length = call.body !== undefined &&
      !call.headers?.['Transfer-Encoding'] && { 'Content-Length': Buffer.byteLength(call.body) }
    const request = httpsRequest(
      { ...options, headers: { ...headers, ...length, ...call.headers } },
      async response => {
        const chunks: Buffer[] = []
        for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
        const bytes = Buffer.concat(chunks)
        const text = bytes.toString()
        const json = () => JSON.parse(text) as Record<string, unknown>
        resolve({ code: response.statusCode ?? 0, headers: response.headers, bytes, text, json })
      },
    )
    request.on('error', reject)
    request.end(call.body)
  })
}
