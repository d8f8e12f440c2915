// The API server's heart: every resource's endpoint over one store, and the handler that answers requests for them.
// No HTTP, no authorization; admission is handed in.

import type { KubeObject } from '../../api/kube-object.ts'
import type { ReadAccess } from '../../api/node-access.ts'
import { acceptLegacySidecars } from '../../api/pod/legacy-sidecar.ts'
import type { ApiHandler, ApiRequest, ApiResponse } from '../../api/request.ts'
import { builtinResources, type ResourceInfo } from '../../api/resources.ts'
import { badRequest, StatusError } from '../../api/status-error.ts'
import type { Clock } from '../../base/clock.ts'
import type { Storage } from '../../storage/storage.ts'
import type { Admission } from '../admission/admission.ts'
import { apiServiceDefinition } from '../aggregation/api-service.ts'
import type { TokenIssuer } from '../token-issuer.ts'
import { autoscalerConversion } from './autoscaler-conversion.ts'
import { BookmarkTicker } from './bookmark-ticker.ts'
import { CustomResources } from './custom/custom-resources.ts'
import type { Conversion, Endpoint } from './endpoint.ts'
import { eventConversion } from './event-conversion.ts'
import { EventExpiry } from './event-expiry.ts'
import { ResourceHandler } from './resource-handler.ts'
import { ResourceReader } from './resource-reader.ts'
import { ResourceStore } from './resource-store.ts'
import { makeServiceParts } from './strategies/core/service-parts.ts'
import { strategyFor } from './strategies/strategies.ts'
import { makeSubresources } from './subresources/subresources.ts'
import {
  ensureSystemObjects,
  keepSystemObjects,
  type ServerPlace,
  type SystemFacts,
} from './system-objects.ts'

export interface RegistryOptions {
  storage: Storage
  clock: Clock
  admission: Admission
  nodeAccess: ReadAccess
  tokenIssuer: TokenIssuer
  /** Where cluster addresses of Services come from. Default: 10.96.0.0/16. */
  serviceCidr?: string
  /** Resources answered by other parts (reviews) are left out of it. Default: builtinResources. */
  resources?: readonly ResourceInfo[]
}

export interface Registry {
  handle: ApiHandler
  /** Makes the namespaces, priority classes and the `kubernetes` Service that every cluster has. Repeatable. */
  ensureSystemObjects(server?: ServerPlace): Promise<void>
  /** Bookmarks for watchers, the end of old events, a look after the system's objects; until the signal aborts. */
  run(signal: AbortSignal): Promise<void>
  /** Ends every watch. */
  close(): void
  custom: CustomResources
}

/** Resources that live in one store under several versions; the first is what is stored. */
const conversions: Record<string, { of: string; make: () => Conversion }> = {
  'events.k8s.io/v1/events': { of: '/v1/events', make: eventConversion },
  'autoscaling/v1/horizontalpodautoscalers': {
    of: 'autoscaling/v2/horizontalpodautoscalers',
    make: autoscalerConversion,
  },
}

/** Upstream: apiserver pkg/endpoints/deprecation. */
const deprecations: Record<string, string | undefined> = {
  '/v1/endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
}

/** Everybody who uses a version that is going away is told. */
function warned(response: ApiResponse, { deprecation }: Endpoint): ApiResponse {
  if (!deprecation || response.kind === 'stream' || response.warnings?.includes(deprecation)) return response
  return { ...response, warnings: [deprecation, ...(response.warnings ?? [])] }
}

const pathOf = ({ group, version, resource }: { group: string; version: string; resource: string }) =>
  `${group}/${version}/${resource}`

export function createRegistry(options: RegistryOptions): Registry {
  acceptLegacySidecars()
  const { storage, clock, admission, serviceCidr = '10.96.0.0/16' } = options
  const closing = new AbortController()
  const services = makeServiceParts(storage, clock, serviceCidr)
  const endpoints = makeEndpoints(options.resources ?? builtinResources, info => {
    const strategy = strategyFor(info, { services })
    const store = new ResourceStore({ info, strategy, prefix: prefixOf(info), storage, clock })
    const deprecation = deprecations[pathOf(info)]
    const reader = new ResourceReader(store, storage, clock, closing.signal)
    return { info, store, reader, ...(deprecation && { deprecation }) }
  })
  const find = (path: string): Endpoint => {
    const endpoint = endpoints.get(path) ?? custom.find(path)
    if (!endpoint) throw notServed()
    return endpoint
  }
  const handler = new ResourceHandler({ admission, clock, revision: () => storage.revision() })
  const subresources = makeSubresources({ ...options, handler, find })
  const handle = async (request: ApiRequest): Promise<ApiResponse> => {
    if (request.resource === 'bindings' && request.group === '') return handle(asPodBinding(request))
    const endpoint = find(pathOf(request))
    if (request.subresource === undefined) return warned(await handler.handle(endpoint, request), endpoint)
    const answerSubresource = subresources(endpoint, request.subresource)
    if (!answerSubresource) throw notServed()
    return answerSubresource(endpoint, request)
  }
  const custom: CustomResources = new CustomResources({
    storage,
    clock,
    handle,
    builtin: [apiServiceDefinition],
  })
  let facts: SystemFacts | undefined
  return {
    handle,
    custom,
    async ensureSystemObjects(server) {
      await services.loaded()
      facts = { kubernetesIp: services.addresses.first, serviceCidr, ...(server && { server }) }
      await ensureSystemObjects(handle, facts)
    },
    async run(signal) {
      const expiry = new EventExpiry({ storage, prefix: '/registry/events/', clock })
      await Promise.all([
        new BookmarkTicker(storage, clock).run(signal),
        expiry.run(signal),
        custom.run(signal),
        keepSystemObjects(handle, () => facts, clock, signal),
      ])
    },
    close: () => closing.abort(),
  }
}

function makeEndpoints(
  resources: readonly ResourceInfo[],
  make: (info: ResourceInfo) => Endpoint,
): Map<string, Endpoint> {
  const endpoints = new Map<string, Endpoint>()
  const isStored = (info: ResourceInfo) => info.verbs.includes('list')
  for (const info of resources) {
    if (isStored(info) && !conversions[pathOf(info)]) endpoints.set(pathOf(info), make(info))
  }
  for (const info of resources) {
    const conversion = conversions[pathOf(info)]
    const stored = conversion && endpoints.get(conversion.of)
    if (stored) endpoints.set(pathOf(info), { ...stored, info, conversion: conversion.make() })
  }
  return endpoints
}

/** POST …/bindings is the old way to pods/binding, with the pod's name in the body. */
function asPodBinding(request: ApiRequest): ApiRequest {
  const { metadata } = (request.body ?? {}) as Partial<KubeObject>
  if (request.verb !== 'create' || !metadata?.name) throw badRequest('name must be provided')
  return { ...request, resource: 'pods', subresource: 'binding', name: metadata.name }
}

/** Upstream's key, with the group before the resource where it is not core: '/registry/apps/deployments/'. */
export function prefixOf({ group, resource }: ResourceInfo): string {
  return group ? `/registry/${group}/${resource}/` : `/registry/${resource}/`
}

function notServed(): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })
}
