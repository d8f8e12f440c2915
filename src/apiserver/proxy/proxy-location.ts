// Where a request to pods/proxy, services/proxy or nodes/proxy goes. Upstream: ResourceLocation of the pod strategy,
// the service storage and the node strategy.
import type { ApiHandler, UserInfo } from '../../api/request.ts'
import { badRequest, internalError, serviceUnavailable } from '../../api/status-error.ts'
import type { Endpoints, Node, Pod, Service } from '../../api/types/core-v1.ts'
import { splitSchemeNamePort } from './scheme-name-port.ts'

export type ProxyLocation =
  | { to: 'address'; scheme: 'http' | 'https'; host: string; port: number }
  /** The node's kubelet itself. */
  | { to: 'kubelet'; nodeName: string }

export interface ProxyRequestInfo {
  resource: string
  namespace?: string | undefined
  /** As in the URL: with scheme and port, perhaps. */
  name: string
}

export interface LocationParts {
  /** Not authorizing: that is done before. */
  handle: ApiHandler
  /** Between 0 and 1. */
  random: () => number
}

const DEFAULT_KUBELET_PORT = 10_250

/** Throws StatusError with upstream's texts. */
export function locate(
  parts: LocationParts,
  user: UserInfo,
  request: ProxyRequestInfo,
): Promise<ProxyLocation> {
  const get = <T>(resource: string, name: string) =>
    read<T>(parts.handle, user, resource, name, request.namespace)
  switch (request.resource) {
    case 'pods':
      return locatePod(request.name, get)
    case 'services':
      return locateService(request.name, get, parts.random)
    default:
      return locateNode(request.name, get)
  }
}

type Get = <T>(resource: string, name: string) => Promise<T>

async function read<T>(
  handle: ApiHandler,
  user: UserInfo,
  resource: string,
  name: string,
  namespace: string | undefined,
): Promise<T> {
  const where = namespace === undefined ? {} : { namespace }
  const answer = await handle({ user, verb: 'get', group: '', version: 'v1', resource, ...where, name })
  if (answer.kind !== 'object') throw internalError('an object was asked for')
  return answer.object as T
}

async function locatePod(id: string, get: Get): Promise<ProxyLocation> {
  const asked = splitSchemeNamePort(id)
  if (!asked) throw badRequest(`invalid pod request ${JSON.stringify(id)}`)
  const { spec, status } = await get<Pod>('pods', asked.name)
  const declared = spec.containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort
  const port = asked.port === '' ? declared : portNumber(asked.port)
  const host = status?.podIPs?.[0]?.ip ?? status?.podIP ?? ''
  requireProxyable(host)
  return { to: 'address', scheme: asked.scheme, host, port: port ?? defaultPort(asked.scheme) }
}

async function locateService(id: string, get: Get, random: () => number): Promise<ProxyLocation> {
  const asked = splitSchemeNamePort(id)
  if (!asked) throw badRequest(`invalid service request ${JSON.stringify(id)}`)
  const { name, scheme } = asked
  const portName = /^\d+$/.test(asked.port) ? await nameOfPort(Number(asked.port), name, get) : asked.port
  const { subsets = [] } = await get<Endpoints>('endpoints', name)
  if (subsets.length === 0)
    throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  const targets = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports
      .filter(port => (port.name ?? '') === portName)
      .flatMap(({ port }) =>
        addresses.filter(({ ip }) => isProxyable(ip)).map(({ ip }) => ({ host: ip, port })),
      ),
  )
  const chosen = targets[Math.floor(random() * targets.length)]
  if (!chosen) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(id)}`)
  return { to: 'address', scheme, ...chosen }
}

async function nameOfPort(number: number, service: string, get: Get): Promise<string> {
  const { spec } = await get<Service>('services', service)
  const port = spec?.ports?.find(({ port }) => port === number)
  if (port) return port.name ?? ''
  throw serviceUnavailable(`no service port ${number} found for service ${JSON.stringify(service)}`)
}

async function locateNode(id: string, get: Get): Promise<ProxyLocation> {
  const asked = splitSchemeNamePort(id)
  if (!asked) throw badRequest(`invalid node request ${JSON.stringify(id)}`)
  const { metadata, status } = await get<Node>('nodes', asked.name)
  // A node that tells no port (nobody listens: the kubelet is asked in-process) has upstream's.
  const kubeletPort = String(status?.daemonEndpoints?.kubeletEndpoint?.Port || DEFAULT_KUBELET_PORT)
  if (asked.port === '' || asked.port === kubeletPort) return { to: 'kubelet', nodeName: metadata.name }
  const preferred = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP']
  const addresses = status?.addresses ?? []
  const host =
    addresses.find(({ type }) => type === 'InternalIP')?.address ??
    preferred.map(type => addresses.find(address => address.type === type)?.address).find(Boolean) ??
    ''
  requireProxyable(host)
  return { to: 'address', scheme: asked.scheme, host, port: portNumber(asked.port) }
}

function portNumber(text: string): number {
  if (/^\d+$/.test(text) && Number(text) > 0 && Number(text) < 65_536) return Number(text)
  throw serviceUnavailable(`error trying to reach service: dial tcp: lookup tcp/${text}: unknown port`)
}

const defaultPort = (scheme: 'http' | 'https') => (scheme === 'https' ? 443 : 80)

/** Loopback, link-local and multicast addresses are the API server's own neighbours, not the cluster's. */
function isProxyable(ip: string): boolean {
  if (ip === '' || ip === '0.0.0.0' || ip === '255.255.255.255' || ip === '::' || ip === '::1') return false
  const first = Number(ip.split('.')[0])
  if (!ip.includes(':')) return first !== 127 && !ip.startsWith('169.254.') && !(first >= 224 && first < 240)
  return !/^(fe[89ab]|ff)/i.test(ip)
}

function requireProxyable(ip: string): void {
  if (!isProxyable(ip)) throw badRequest('address not allowed')
}
