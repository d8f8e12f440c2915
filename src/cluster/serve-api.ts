// Puts what the API server is made of behind HTTPS, and says at which addresses it is reached.
import { networkInterfaces } from 'node:os'
import type { NodeAccess } from '../api/node-access.ts'
import type { ApiHandler } from '../api/request.ts'
import type { Admission } from '../apiserver/admission/admission.ts'
import type { Aggregator } from '../apiserver/aggregation/aggregator.ts'
import {
  type Authenticator,
  clientCertificateAuthenticator,
  unionAuthenticator,
} from '../apiserver/authn/authenticator.ts'
import type { ServiceAccountTokens } from '../apiserver/authn/service-account-tokens.ts'
import type { Authorizer } from '../apiserver/authz/authorizer.ts'
import { DiscoveryHandler } from '../apiserver/discovery/discovery-handler.ts'
import { versionInfo } from '../apiserver/discovery/version-info.ts'
import type { FlowControl } from '../apiserver/flow-control/flow-control.ts'
import { createHttpServer } from '../apiserver/http/http-server.ts'
import { kubernetesProtobuf } from '../apiserver/http/kubernetes-protobuf-codec.ts'
import type { ServerMetrics } from '../apiserver/http/metrics.ts'
import { withCustomDocuments } from '../apiserver/openapi/custom-documents.ts'
import { openApiSource } from '../apiserver/openapi/openapi-documents.ts'
import type { Pki } from '../apiserver/pki/pki.ts'
import { connectHandlers } from '../apiserver/proxy/connect-handlers.ts'
import { PlainError } from '../base/plain-error.ts'
import type { ClusterParts } from './parts.ts'
import type { ServedResources } from './served-resources.ts'

/** What stands behind the HTTPS server. */
export interface Behind {
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

/** Answers the port. Throws PlainError when somebody else has it. */
export async function serveApi(parts: ClusterParts, pki: Pki, behind: Behind): Promise<number> {
  const { clock, log } = parts
  const { handle, authorizer, tokens, otherTokens, metrics, flows, served, aggregator } = behind
  const { nodeAccess, admission } = behind
  let address = ''
  const server = createHttpServer({
    handle,
    authorizer,
    metrics,
    flows,
    log,
    clock,
    authenticate: unionAuthenticator([clientCertificateAuthenticator, tokens.authenticate, ...otherTokens]),
    resources: served.index,
    codec: kubernetesProtobuf,
    discovery: discoveryOf(behind, () => address),
    tables: served.tableFor,
    elsewhere: path => aggregator.find(path),
    health: { livez: [], readyz: [] },
    ...connectHandlers({ handle, authorizer, nodeAccess, admission, clock, log, random: Math.random }),
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

const discoveryOf = ({ served, tokens }: Behind, serverAddress: () => string) =>
  new DiscoveryHandler({
    resources: served.index,
    codec: kubernetesProtobuf,
    openApi: withCustomDocuments(openApiSource, () => served.custom.definitions()),
    version: versionInfo(),
    serverAddress,
    openId: { issuer: tokens.issuer, keys: tokens.publicKeys },
  })

/** Endpoints may not be loopback addresses: a machine without any other is reached at the pods' gateway. */
export const advertisedAddress = ({ facts }: ClusterParts) =>
  machineAddresses()[0] ?? firstAddress(facts.podCidr)

export const machineAddresses = () =>
  Object.entries(networkInterfaces())
    .filter(([name]) => !/^(kn-|kv)/.test(name))
    .flatMap(([, list]) => list ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address)

/** '10.96.0.0/16' → '10.96.0.1', the address of the Service `kubernetes`. */
export const firstAddress = (cidr: string) =>
  cidr.split('/')[0]!.replace(/\d+$/, last => String(Number(last) + 1))
