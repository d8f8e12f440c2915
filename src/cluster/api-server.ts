// Builds the API server: store, registry, authentication, HTTPS; and the clients that live in this process.
import type { KeyObject } from 'node:crypto'
import type { TypeSource } from '../api/cel/policy-types.ts'
import type { NodeAccess } from '../api/node-access.ts'
import type { ApiHandler, UserInfo } from '../api/request.ts'
import type { Aggregator } from '../apiserver/aggregation/aggregator.ts'
import { bootstrapTokenAuthenticator } from '../apiserver/authn/bootstrap-tokens.ts'
import { findBoundObjectThrough } from '../apiserver/authn/find-bound-object.ts'
import { type LegacyTokenOwner, LegacyTokens } from '../apiserver/authn/legacy-tokens.ts'
import { type FindBoundObject, ServiceAccountTokens } from '../apiserver/authn/service-account-tokens.ts'
import { tokenReviewer } from '../apiserver/authn/token-review.ts'
import { type Authorizer, authorized } from '../apiserver/authz/authorizer.ts'
import { ClusterAuthorizer } from '../apiserver/authz/cluster-authorizer.ts'
import { ensurePolicy } from '../apiserver/authz/rbac/bootstrap/ensure-policy.ts'
import { withVirtualResources } from '../apiserver/authz/virtual-resources.ts'
import { ensureFlowControl } from '../apiserver/flow-control/ensure-flow-control.ts'
import { FlowControl } from '../apiserver/flow-control/flow-control.ts'
import { ServerMetrics } from '../apiserver/http/metrics.ts'
import { withMetricsApi } from '../apiserver/metrics-api/metrics-api.ts'
import { ensurePki, type Pki } from '../apiserver/pki/pki.ts'
import type { Clock } from '../base/clock.ts'
import { Client } from '../client/client.ts'
import { writeKubeconfig } from '../client/kubeconfig.ts'
import type { MutableCatalog } from '../client/resource-catalog.ts'
import { Compactor } from '../storage/compactor.ts'
import { openLmdbStorage } from '../storage/lmdb/lmdb-storage.ts'
import { MemoryStorage } from '../storage/memory/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { withAggregatedReads } from './aggregated-reads.ts'
import { startAggregation } from './aggregation.ts'
import { type ApiResources, loadResources } from './api-resources.ts'
import { controllerClient } from './controller-clients.ts'
import { lateNodeAccess } from './late-node-access.ts'
import { nodeUsage } from './node-usage.ts'
import { ensureKubeletCaller, otherKubelets } from './other-kubelets.ts'
import { type ClusterParts, keepRunning } from './parts.ts'
import { advertisedAddress, firstAddress, machineAddresses, serveApi } from './serve-api.ts'

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

const ADMINISTRATOR: UserInfo = { name: 'kubernetes-admin', groups: ['system:masters'] }

export async function startApiServer(
  parts: ClusterParts,
  store: 'lmdb' | 'memory',
): Promise<RunningApiServer> {
  const { clock } = parts
  const storage = openStorage(parts, store)
  const access = new ClusterAuthorizer(storage)
  const pki = await issuePki(parts)
  const find = findBoundObjectThrough(() => resources.registry.handle)
  const { tokens, legacyTokens, otherTokens } = credentialsOf(pki, clock, find)
  const late = lateNodeAccess(otherKubelets({ pki, clock, find }))
  const nodeAccess = late.access
  const resources: ApiResources = await loadResources(parts, { storage, access, tokens, nodeAccess })
  const { registry, served, aggregator, admission, identity } = resources
  const { authorizer } = access
  const withMetrics = withMetricsApi(registry.handle, () => nodeUsage(registry.handle, nodeAccess))
  const reviewToken = tokenReviewer(tokens, otherTokens)
  const handle = withVirtualResources(withMetrics, { authorizer, reviewToken })
  const metrics = new ServerMetrics()
  const flows = new FlowControl({ storage, handle: registry.handle, clock, metrics: metrics.registry })
  const port = await serveApi(parts, pki, {
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
  })
  await registry.ensureSystemObjects({ address: advertisedAddress(parts), port })
  await Promise.all([ensurePolicy(registry.handle), ensureFlowControl(registry.handle)])
  await Promise.all([access.load(), flows.load()])
  for (const part of [access, flows, registry]) keepRunning(parts, signal => part.run(signal))
  startAggregation(parts, { aggregator, served, identity, handle: registry.handle, pki })
  keepRunning(parts, signal => new Compactor({ storage, clock, log: parts.log }).run(signal))
  const server = `https://127.0.0.1:${port}`
  writeAdminKubeconfig(parts, pki, server)
  const clients = inProcessClients(handle, authorizer, aggregator)
  keepRunning(parts, () => ensureKubeletCaller(clients.clientOf(ADMINISTRATOR, 'kubernode')))
  return {
    ...clients,
    server,
    port,
    authorityCertificate: pki.authorityCertificate,
    authorityKey: pki.authorityKey,
    issueLegacyToken: owner => legacyTokens.issue(owner),
    catalog: served.catalog,
    typesOf: served.typesOf,
    setNodeAccess: late.plugIn,
  }
}

function issuePki({ clock, paths, facts, nodeName }: ClusterParts): Promise<Pki> {
  return ensurePki({
    directory: paths.pki,
    addresses: [...machineAddresses(), firstAddress(facts.serviceCidr)],
    names: [nodeName],
    clock,
  })
}

/** Who gives tokens, and who believes them. */
function credentialsOf({ serviceAccountKey: privateKey }: Pki, clock: Clock, find: FindBoundObject) {
  const legacyTokens = new LegacyTokens({ privateKey, find })
  return {
    tokens: new ServiceAccountTokens({ privateKey, clock, find }),
    legacyTokens,
    otherTokens: [legacyTokens.authenticate, bootstrapTokenAuthenticator({ clock, find })],
  }
}

function openStorage({ paths, onStop, fail }: ClusterParts, kind: 'lmdb' | 'memory'): Storage {
  const storage =
    kind === 'memory' ? new MemoryStorage() : openLmdbStorage({ directory: paths.store, onFatal: fail })
  onStop(() => storage.close())
  return storage
}

/** Admission and authorization hold for each of them. */
function inProcessClients(
  handle: ApiHandler,
  authorizer: Authorizer,
  aggregator: Aggregator,
): Pick<RunningApiServer, 'clientOf' | 'controllerClient' | 'metricsReader'> {
  const inProcess = authorized(handle, authorizer)
  const withMetrics = authorized(withAggregatedReads(handle, aggregator), authorizer)
  return {
    clientOf: (user, userAgent) =>
      new Client(inProcess, { ...user, groups: [...user.groups, 'system:authenticated'] }, userAgent),
    controllerClient: account => controllerClient(inProcess, account),
    metricsReader: account => controllerClient(withMetrics, account),
  }
}

function writeAdminKubeconfig({ paths, name }: ClusterParts, pki: Pki, server: string): void {
  writeKubeconfig(paths.kubeconfig, {
    name,
    user: ADMINISTRATOR.name,
    server,
    ca: pki.authorityCertificate,
    cert: pki.admin.certificate,
    key: pki.admin.privateKey,
  })
}
