// pods/proxy, services/proxy and nodes/proxy over HTTP. Upstream: the proxy RESTs of pod, service and node.
import type { ConnectHandler } from '../http/connect.ts'
import { upgradeRequired } from '../streaming/pod-streaming.ts'
import type { UpgradeRequest } from '../streaming/upgrade.ts'
import type { StreamingParts } from '../streaming/upgrade-handlers.ts'
import { forwardRequest } from './forward-request.ts'
import { forwardUpgrade } from './forward-upgrade.ts'
import { askKubelet, kubeletUpgrade } from './kubelet-proxy.ts'
import { type LocationParts, locate } from './proxy-location.ts'

export interface ProxyParts extends LocationParts, StreamingParts {}

export function proxyHandler(parts: ProxyParts): ConnectHandler {
  return async ({ request, response, info, user, signal }) => {
    const { prefix, path, query } = splitTarget(request.url ?? '/')
    if (path === '' && (request.method === 'GET' || request.method === 'HEAD')) {
      // Relative links of the backend's root must resolve below it.
      response.writeHead(301, { Location: `${prefix}/${query}` }).end()
      return
    }
    const location = await locate(parts, user, { ...info, name: info.name ?? '' })
    const target = `${path || '/'}${query}`
    if (location.to === 'kubelet')
      await askKubelet(parts.nodeAccess, location.nodeName, target, { request, response, signal })
    else await forwardRequest({ request, location, prefix, target, signal }, response)
  }
}

export function proxyUpgradeHandler(parts: ProxyParts) {
  return async (upgrade: UpgradeRequest): Promise<void> => {
    const { request, socket, head, info, user, signal } = upgrade
    const { prefix, path, query } = splitTarget(request.url ?? '/')
    const location = await locate(parts, user, { ...info, name: info.name ?? '' })
    const target = `${path || '/'}${query}`
    if (location.to === 'address') {
      await forwardUpgrade({ request, socket, head, location, prefix, target, signal })
      return
    }
    const session = kubeletUpgrade(parts, target, upgrade)
    if (!session) throw upgradeRequired()
    await session
  }
}

/** The URL cut behind `/proxy`, its parts as the client encoded them; `query` with its question mark. */
export function splitTarget(url: string): { prefix: string; path: string; query: string } {
  const mark = url.indexOf('?')
  const [whole, query] = mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark)]
  const [, prefix = whole, path = ''] =
    /^(\/api\/v1\/(?:namespaces\/[^/]+\/)?[^/]+\/[^/]+\/proxy)(\/.*)?$/.exec(whole) ?? []
  return { prefix, path, query }
}
