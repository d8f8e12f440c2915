// What kube-proxy answers about itself on a node: its health to whoever asks, its mode and metrics to the node alone.
// Upstream: pkg/proxy/healthcheck/proxy_health.go, cmd/kube-proxy/app/server.go serveMetrics.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '../base/log.ts'
import type { ProxyHealth } from './proxy-health.ts'
import type { ProxyMetrics } from './proxy-metrics.ts'

export interface StatusServersOptions {
  health: ProxyHealth
  metrics: ProxyMetrics
  /** In milliseconds. */
  now: () => number
  log: Log
  /** 0: any free one. */
  healthPort: number
  statusPort: number
}

/** kube-proxy's own. A machine may have several clusters: the first to come has them. */
export const HEALTH_PORT = 10_256
export const STATUS_PORT = 10_249

type Answer = (response: ServerResponse) => void | Promise<void>

/** Until the signal aborts. `onListen` is told each port as it is opened. */
export async function runStatusServers(
  options: StatusServersOptions,
  signal: AbortSignal,
  onListen: (what: 'health' | 'status', port: number) => void = () => {},
): Promise<void> {
  const { healthPort, statusPort } = options
  await Promise.all([
    serve(options, healthRoutes(options), { port: healthPort, host: '0.0.0.0' }, signal, port =>
      onListen('health', port),
    ),
    serve(options, statusRoutes(options), { port: statusPort, host: '127.0.0.1' }, signal, port =>
      onListen('status', port),
    ),
  ])
}

function healthRoutes({ health, metrics, now }: StatusServersOptions): Record<string, Answer> {
  const answer = (what: 'healthz' | 'livez', isWell: boolean, more: string) => (response: ServerResponse) => {
    const code = isWell ? 200 : 503
    metrics.answered(what, code)
    response.writeHead(code, {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      Connection: 'close',
    })
    const times = `"lastUpdated": "${goTime(health.lastUpdatedAt)}","currentTime": "${goTime(now())}"`
    response.end(`{${times}${more}}`)
  }
  return {
    '/healthz': response => {
      const { isEligible, isHealthy } = health
      answer('healthz', isHealthy && isEligible, `, "nodeEligible": ${isEligible}`)(response)
    },
    '/livez': response => answer('livez', health.isHealthy, '')(response),
  }
}

function statusRoutes({ metrics }: StatusServersOptions): Record<string, Answer> {
  const text = (body: string) => (response: ServerResponse) => {
    response.writeHead(200, {
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
    })
    response.end(body)
  }
  return {
    '/healthz': text('ok'),
    '/proxyMode': text('nftables'),
    '/metrics': async response => {
      const body = await metrics.registry.metrics()
      response.writeHead(200, { 'Content-Type': metrics.registry.contentType }).end(body)
    },
  }
}

function serve(
  { log }: StatusServersOptions,
  routes: Record<string, Answer>,
  { port, host }: { port: number; host: string },
  signal: AbortSignal,
  onListen: (port: number) => void,
): Promise<void> {
  const server = createServer((request, response) => respond(routes, request, response))
  return new Promise(resolve => {
    const stop = () => {
      server.closeAllConnections()
      server.close(() => resolve())
    }
    server.once('error', (error: NodeJS.ErrnoException) => {
      // Nothing depends on it, and most often another cluster of this machine has it.
      log.info({ error, port }, 'the proxy does not tell about itself: its port is taken')
      signal.removeEventListener('abort', stop)
      resolve()
    })
    server.listen(port, host, () => onListen((server.address() as AddressInfo).port))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

function respond(routes: Record<string, Answer>, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').split('?')[0]!
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined
  if (route) void route(response)
  else response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('404 page not found\n')
}

/** As Go prints a time. */
const goTime = (ms: number) => `${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')} +0000 UTC`
