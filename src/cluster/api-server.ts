// Builds the API server: store, registry, authentication, HTTPS; and the clients that live in this process.
import type { KeyObject } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import type { TypeSource } from '../api/cel/policy-types.ts'
import type { NodeAccess } from '../api/node-access.ts'
import type { ApiHandler, UserInfo } from '../api/request.ts'
import { type Admission, chain } from '../apiserver/admission/admission.ts'
import { defaultPlugins } from '../apiserver/admission/default-plugins.ts'
import { quotaStatusThrough } from '../apiserver/admission/quota-status.ts'
import { storageLookup } from '../apiserver/admission/storage-lookup.ts'
import { waitForDefaultAccount } from '../apiserver/admission/wait-for-account.ts'
import { Aggregator } from '../apiserver/aggregation/aggregator.ts'
import { makeFrontProxy } from '../apiserver/aggregation/front-proxy.ts'
import {
  type Authenticator,
  clientCertificateAuthenticator,
  unionAuthenticator,
} from '../apiserver/authn/authenticator.ts'
import { bootstrapTokenAuthenticator } from '../apiserver/authn/bootstrap-tokens.ts'
import { findBoundObjectThrough } from '../apiserver/authn/find-bound-object.ts'
import { type LegacyTokenOwner, LegacyTokens } from '../apiserver/authn/legacy-tokens.ts'
import { ServiceAccountTokens } from '../apiserver/authn/service-account-tokens.ts'
import { tokenReviewer } from '../apiserver/authn/token-review.ts'
import { type Authorizer, authorized } from '../apiserver/authz/authorizer.ts'
import { ClusterAuthorizer } from '../apiserver/authz/cluster-authorizer.ts'
import { ensurePolicy } from '../apiserver/authz/rbac/bootstrap/ensure-policy.ts'
import { withVirtualResources } from '../apiserver/authz/virtual-resources.ts'
import { DiscoveryHandler } from '../apiserver/discovery/discovery-handler.ts'
import { versionInfo } from '../apiserver/discovery/version-info.ts'
import { ensureFlowControl } from '../apiserver/flow-control/ensure-flow-control.ts'
import { FlowControl } from '../apiserver/flow-control/flow-control.ts'
import { createHttpServer } from '../apiserver/http/http-server.ts'
import { kubernetesProtobuf } from '../apiserver/http/kubernetes-protobuf-codec.ts'
import { ServerMetrics } from '../apiserver/http/metrics.ts'
import { withMetricsApi } from '../apiserver/metrics-api/metrics-api.ts'
import { withCustomDocuments } from '../apiserver/openapi/custom-documents.ts'
import { openApiSource } from '../apiserver/openapi/openapi-documents.ts'
import { ensurePki, type Pki } from '../apiserver/pki/pki.ts'
import { connectHandlers } from '../apiserver/proxy/connect-handlers.ts'
import { createRegistry, type Registry } from '../apiserver/registry/registry.ts'
import { PlainError } from '../base/plain-error.ts'
import { Client } from '../client/client.ts'
import { writeKubeconfig } from '../client/kubeconfig.ts'
import type { MutableCatalog } from '../client/resource-catalog.ts'
import { Compactor } from '../storage/compactor.ts'
import { openLmdbStorage } from '../storage/lmdb/lmdb-storage.ts'
import { MemoryStorage } from '../storage/memory/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { withAggregatedReads } from './aggregated-reads.ts'
import { startAggregation } from './aggregation.ts'
import { controllerClient } from './controller-clients.ts'
import { lateNodeAccess } from './late-node-access.ts'
import { nodeUsage } from './node-usage.ts'
import { ensureKubeletCaller, otherKubelets } from './other-kubelets.ts'
import { type ClusterParts, keepRunning } from './parts.ts'
import { ServedResources } from './served-resources.ts'

export interface RunningApiServer {
  server: string
  port: number
  authorityCertificate: string
  /** Signs what the cluster's own signers sign. */
  authorityKey: KeyObject
  /** A token without an end, for a Secret that holds it. */
  issueLegacyToken(owner: LegacyTokenOwner): string
  /** An in-process client as this user; authorization and admission apply. */
  clientOf(user: UserInfo, userAgent: string): Client
  /** As one of the controllers: 'job-controller'. */
  controllerClient(account: string): Client
  /** The same for one that reads metrics, which other servers may have. */
  metricsReader(account: string): Client
  /** Everything that is served, for controllers that look at all of it. */
  catalog: MutableCatalog
  /** The types of a resource's fields, for expressions. */
  typesOf: TypeSource
  /** Plugs in how this machine's own node is reached. */
  setNodeAccess(nodeName: string, access: NodeAccess): void
}

export async function startApiServer(
  parts: ClusterParts,
  store: 'lmdb' | 'memory',
): Promise<RunningApiServer> {
  const { clock, paths, facts, log } = parts
  const storage = openStorage(parts, store)
  const access = new ClusterAuthorizer(storage)
  const { authorizer } = access
  const pki = await ensurePki({
    directory: paths.pki,
    addresses: [...machineAddresses(), firstAddress(facts.serviceCidr)],
    names: [parts.nodeName],
    clock,
  })
  const find = findBoundObjectThrough(() => registry.handle)
  const tokens = new ServiceAccountTokens({ privateKey: pki.serviceAccountKey, clock, find })
  const legacyTokens = new LegacyTokens({ privateKey: pki.serviceAccountKey, find })
  const otherTokens = [legacyTokens.authenticate, bootstrapTokenAuthenticator({ clock, find })]
  const late = lateNodeAccess(otherKubelets({ pki, clock, find }))
  let served: ServedResources | undefined
  const admission = chain([
    ...defaultPlugins({
      lookup: storageLookup(storage),
      waitForAccount: waitForDefaultAccount(storage, clock),
      authorizer,
      extensions: {
        clock,
        resourceOf: (apiVersion, kind) => served?.resourceOf(apiVersion, kind),
        shapeOfCustom: (apiVersion, kind) => served?.shapeOfCustom(apiVersion, kind),
      },
      quota: { clock, updateStatus: quotaStatusThrough(() => registry.handle) },
    }),
    access.escalationCheck,
  ])
  const registry: Registry = createRegistry({
    storage,
    clock,
    admission,
    nodeAccess: late.access,
    tokenIssuer: tokens,
    serviceCidr: facts.serviceCidr,
  })
  const withMetrics = withMetricsApi(registry.handle, () => nodeUsage(registry.handle, late.access))
  const handle = withVirtualResources(withMetrics, {
    authorizer,
    reviewToken: tokenReviewer(tokens, otherTokens),
  })
  await access.load()
  const identity = makeFrontProxy(clock.now())
  const aggregator: Aggregator = new Aggregator({
    storage,
    clock,
    log,
    lookup: storageLookup(storage),
    identity,
    handle: registry.handle,
    changed: () => served?.refresh(),
  })
  served = new ServedResources(registry.custom, () => aggregator.resources())
  await registry.custom.load()
  const metrics = new ServerMetrics()
  const flows = new FlowControl({ storage, handle: registry.handle, clock, metrics: metrics.registry })
  const port = await listen(parts, pki, {
    handle,
    metrics,
    flows,
    tokens,
    otherTokens,
    authorizer,
    served,
    aggregator,
    nodeAccess: late.access,
    admission,
  })
  await registry.ensureSystemObjects({ address: advertisedAddress(parts), port })
  await Promise.all([ensurePolicy(registry.handle), ensureFlowControl(registry.handle)])
  await Promise.all([access.load(), flows.load()])
  keepRunning(parts, signal => access.run(signal))
  keepRunning(parts, signal => flows.run(signal))
  keepRunning(parts, signal => registry.run(signal))
  startAggregation(parts, { aggregator, served, identity, handle: registry.handle, pki })
  keepRunning(parts, signal => new Compactor({ storage, clock, log }).run(signal))
  const server = `https://127.0.0.1:${port}`
  writeKubeconfig(paths.kubeconfig, {
    name: parts.name,
    user: 'kubernetes-admin',
    server,
    ca: pki.authorityCertificate,
    cert: pki.admin.certificate,
    key: pki.admin.privateKey,
  })
  const inProcess = authorized(handle, authorizer)
  const administrator = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }
  keepRunning(parts, () => ensureKubeletCaller(new Client(inProcess, administrator, 'kubernode')))
  return {
    server,
    port,
    authorityCertificate: pki.authorityCertificate,
    authorityKey: pki.authorityKey,
    issueLegacyToken: owner => legacyTokens.issue(owner),
    clientOf: (user, userAgent) =>
      new Client(inProcess, { ...user, groups: [...user.groups, 'system:authenticated'] }, userAgent),
    controllerClient: account => controllerClient(inProcess, account),
    metricsReader: account =>
      controllerClient(authorized(withAggregatedReads(handle, aggregator), authorizer), account),
    catalog: served.catalog,
    typesOf: served.typesOf,
    setNodeAccess: late.plugIn,
  }
}

function openStorage({ paths, onStop, fail }: ClusterParts, kind: 'lmdb' | 'memory'): Storage {
  const storage =
    kind === 'memory' ? new MemoryStorage() : openLmdbStorage({ directory: paths.store, onFatal: fail })
  onStop(() => storage.close())
  return storage
}

/** What stands behind the HTTPS server. */
interface Behind {
  handle: ApiHandler
  metrics: ServerMetrics
  flows: FlowControl
  tokens: ServiceAccountTokens
  otherTokens: readonly Authenticator[]
  authorizer: Authorizer
  served: ServedResources
  aggregator: Aggregator
  nodeAccess: NodeAccess
  admission: Admission
}

async function listen(
  parts: ClusterParts,
  pki: Pki,
  {
    handle,
    metrics,
    flows,
    tokens,
    otherTokens,
    authorizer,
    served,
    aggregator,
    nodeAccess,
    admission,
  }: Behind,
): Promise<number> {
  const { index: resources, custom } = served
  let address = ''
  const server = createHttpServer({
    handle,
    authenticate: unionAuthenticator([clientCertificateAuthenticator, tokens.authenticate, ...otherTokens]),
    authorizer,
    resources,
    codec: kubernetesProtobuf,
    discovery: new DiscoveryHandler({
      resources,
      codec: kubernetesProtobuf,
      openApi: withCustomDocuments(openApiSource, () => custom.definitions()),
      version: versionInfo(),
      serverAddress: () => address,
      openId: { issuer: tokens.issuer, keys: tokens.publicKeys },
    }),
    tables: served.tableFor,
    elsewhere: path => aggregator.find(path),
    health: { livez: [], readyz: [] },
    metrics,
    flows,
    ...connectHandlers({
      handle,
      authorizer,
      nodeAccess,
      admission,
      clock: parts.clock,
      log: parts.log,
      random: Math.random,
    }),
    log: parts.log,
    clock: parts.clock,
    tls: { ...pki.server, clientAuthority: pki.authorityCertificate },
  })
  try {
    const { port } = await server.listen(parts.port, '0.0.0.0')
    address = `${advertisedAddress(parts)}:${port}`
    parts.onStop(() => server.close(1_000))
    return port
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new PlainError(
      `The API server's port ${parts.port} is taken by another program: choose another with --port N, or --port 0 for any free one.`,
    )
  }
}

/** Endpoints may not be loopback addresses: a machine without any other is reached at the pods' gateway. */
const advertisedAddress = ({ facts }: ClusterParts) => machineAddresses()[0] ?? firstAddress(facts.podCidr)

const machineAddresses = () =>
  Object.entries(networkInterfaces())
    .filter(([name]) => !/^(kn-|kv)/.test(name))
    .flatMap(([, list]) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)

/** '10.96.0.0/16' → '10.96.0.1', the address of the Service `kubernetes`. */
const firstAddress = (cidr: string) => cidr.split('/')[0]!.replace(/\d+$/, last => String(Number(last) + 1))
