// Which part answers which subresource.

import type { ReadAccess } from '../../../api/node-access.ts'
import type { ApiRequest } from '../../../api/request.ts'
import { methodNotSupported, qualifiedName } from '../../../api/status-error.ts'
import type { TokenIssuer } from '../../token-issuer.ts'
import { customScaleAccess } from '../custom/custom-scale.ts'
import type { Endpoint } from '../endpoint.ts'
import { answer, type ResourceHandler } from '../resource-handler.ts'
import { CertificateStrategy } from '../strategies/certificates/certificate-strategy.ts'
import { EphemeralContainersStrategy } from '../strategies/core/ephemeral-containers-strategy.ts'
import { NamespaceStrategy } from '../strategies/core/namespace-strategy.ts'
import { ResizeStrategy } from '../strategies/core/resize-strategy.ts'
import type { UpdateStrategy } from '../strategy.ts'
import { bindingHandler } from './binding.ts'
import { evictionHandler } from './eviction.ts'
import {
  asEphemeralContainers,
  asPodUpdate,
  isEphemeralContainers,
  readsEphemeralContainers,
} from './legacy-ephemeral-containers.ts'
import { nodeProxyHandler } from './node-proxy.ts'
import { podLogHandler } from './pod-log.ts'
import { scaleHandler } from './scale.ts'
import type { SubresourceHandler } from './subresource.ts'
import { tokenRequestHandler } from './token-request.ts'

export interface SubresourceParts {
  handler: ResourceHandler
  nodeAccess: ReadAccess
  tokenIssuer: TokenIssuer
  /** By 'group/version/resource'; throws NotFound. */
  find(path: string): Endpoint
}

/** undefined: not served here. */
export type SubresourceLookup = (endpoint: Endpoint, name: string) => SubresourceHandler | undefined

export function makeSubresources(parts: SubresourceParts): SubresourceLookup {
  const { handler, find, nodeAccess, tokenIssuer } = parts
  const viaStrategy = (strategy: UpdateStrategy) => updateThrough(handler, strategy)
  const own: Record<string, SubresourceHandler> = {
    'pods/binding': bindingHandler(handler),
    'pods/log': podLogHandler(nodeAccess),
    'nodes/proxy': nodeProxyHandler(nodeAccess),
    'pods/eviction': evictionHandler(handler, () => find('policy/v1/poddisruptionbudgets')),
    'pods/ephemeralcontainers': ephemeralContainers(handler, viaStrategy(new EphemeralContainersStrategy())),
    'pods/resize': viaStrategy(new ResizeStrategy()),
    'serviceaccounts/token': (endpoint, request) => {
      const [pods, secrets, nodes] = ['pods', 'secrets', 'nodes'].map(name => find(`/v1/${name}`).store)
      return tokenRequestHandler(handler, tokenIssuer, { pods: pods!, secrets: secrets!, nodes: nodes! })(
        endpoint,
        request,
      )
    },
  }
  const scale = scaleHandler(handler, customScaleAccess)
  return (endpoint, name) => {
    const { strategy } = endpoint.store
    const isDeclared = endpoint.info.subresources.some(subresource => subresource.name === name)
    if (!isDeclared) return undefined
    if (name === 'status' && strategy.status) return viaStrategy(strategy.status)
    if (name === 'finalize' && strategy instanceof NamespaceStrategy) return viaStrategy(strategy.finalize)
    if (name === 'approval' && strategy instanceof CertificateStrategy) return viaStrategy(strategy.approval)
    if (name === 'scale') return scale
    return own[`${qualifiedName(endpoint.info)}/${name}`]
  }
}

function updateThrough(handler: ResourceHandler, strategy: UpdateStrategy): SubresourceHandler {
  return (endpoint: Endpoint, request: ApiRequest) => {
    if (request.verb === 'get') return handler.get(endpoint, request)
    if (request.verb === 'update') return handler.update(endpoint, request, strategy)
    if (request.verb === 'patch') return handler.patch(endpoint, request, strategy)
    throw methodNotSupported(endpoint.info, request.verb)
  }
}

/** Takes the kind of Kubernetes 1.16 to 1.21 as well. */
function ephemeralContainers(handler: ResourceHandler, update: SubresourceHandler): SubresourceHandler {
  return async (endpoint, request) => {
    const { namespace, name = '' } = request
    if (readsEphemeralContainers(request))
      return answer(asEphemeralContainers(endpoint.store.get(namespace, name).object))
    if (request.verb !== 'update' || !isEphemeralContainers(request.body)) return update(endpoint, request)
    const stored = endpoint.store.get(namespace, name).object
    const response = await handler.update(
      endpoint,
      asPodUpdate(request, stored),
      new EphemeralContainersStrategy(),
    )
    return response.kind === 'object'
      ? answer(asEphemeralContainers(response.object), response.code, response.warnings)
      : response
  }
}
