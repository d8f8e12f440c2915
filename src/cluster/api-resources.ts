// What the API server serves: the registry over the store, admission before it, and what other servers answer. These
// need one another; here they are made in the order in which that works.
import type { NodeAccess } from '../api/node-access.ts'
import type { ApiHandler } from '../api/request.ts'
import { type Admission, chain } from '../apiserver/admission/admission.ts'
import { defaultPlugins } from '../apiserver/admission/default-plugins.ts'
import { quotaStatusThrough } from '../apiserver/admission/quota-status.ts'
import { storageLookup } from '../apiserver/admission/storage-lookup.ts'
import { waitForDefaultAccount } from '../apiserver/admission/wait-for-account.ts'
import { Aggregator } from '../apiserver/aggregation/aggregator.ts'
import { type FrontProxy, makeFrontProxy } from '../apiserver/aggregation/front-proxy.ts'
import type { ServiceAccountTokens } from '../apiserver/authn/service-account-tokens.ts'
import type { ClusterAuthorizer } from '../apiserver/authz/cluster-authorizer.ts'
import { createRegistry, type Registry } from '../apiserver/registry/registry.ts'
import type { Clock } from '../base/clock.ts'
import type { Storage } from '../storage/storage.ts'
import type { ClusterParts } from './parts.ts'
import { ServedResources } from './served-resources.ts'

export interface ApiFoundations {
  storage: Storage
  access: ClusterAuthorizer
  tokens: ServiceAccountTokens
  nodeAccess: NodeAccess
}

export interface ApiResources {
  registry: Registry
  admission: Admission
  served: ServedResources
  aggregator: Aggregator
  /** As whom this server asks others. */
  identity: FrontProxy
}

/** Resolves when the rights and the custom resources that are stored have been read. */
export async function loadResources(
  { clock, log, facts }: ClusterParts,
  { storage, access, tokens, nodeAccess }: ApiFoundations,
): Promise<ApiResources> {
  let served: ServedResources | undefined
  const admission = admissionOf({
    storage,
    access,
    clock,
    handle: () => registry.handle,
    served: () => served,
  })
  const registry: Registry = createRegistry({
    storage,
    clock,
    admission,
    nodeAccess,
    tokenIssuer: tokens,
    serviceCidr: facts.serviceCidr,
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
  return { registry, admission, served, aggregator, identity }
}

/** What admission needs of parts that are built after it is asked for when it is needed. */
interface AdmissionParts {
  storage: Storage
  access: ClusterAuthorizer
  clock: Clock
  handle: () => ApiHandler
  served: () => ServedResources | undefined
}

function admissionOf({ storage, access, clock, handle, served }: AdmissionParts): Admission {
  return chain([
    ...defaultPlugins({
      lookup: storageLookup(storage),
      waitForAccount: waitForDefaultAccount(storage, clock),
      authorizer: access.authorizer,
      extensions: {
        clock,
        resourceOf: (apiVersion, kind) => served()?.resourceOf(apiVersion, kind),
        shapeOfCustom: (apiVersion, kind) => served()?.shapeOfCustom(apiVersion, kind),
      },
      quota: { clock, updateStatus: quotaStatusThrough(handle) },
    }),
    access.escalationCheck,
  ])
}
