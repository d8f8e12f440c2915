// Answers on the health check ports of Services with local endpoints only: a load balancer outside asks every node
// whether it has some. Upstream: pkg/proxy/healthcheck/service_health.go.
import { createServer, type Server } from 'node:http'
import type { Log } from '../base/log.ts'

export interface HealthCheck {
  port: number
  namespace: string
  name: string
  localEndpoints: number
}

interface Open {
  server: Server
  check: HealthCheck
}

export class HealthCheckServers {
  readonly #log: Log
  readonly #isProxyHealthy: () => boolean
  readonly #open = new Map<string, Open>()

  constructor(log: Log, isProxyHealthy: () => boolean) {
    this.#log = log
    this.#isProxyHealthy = isProxyHealthy
  }

  /** Undefined: the Service has none, or is gone. */
  set(service: string, check: HealthCheck | undefined): void {
    const open = this.#open.get(service)
    if (open && open.check.port === check?.port) {
      open.check = check
      return
    }
    open?.server.close()
    this.#open.delete(service)
    if (check) this.#open.set(service, this.#listen(check))
  }

  close(): void {
    for (const { server } of this.#open.values()) server.close()
    this.#open.clear()
  }

  #listen(check: HealthCheck): Open {
    const server = createServer((_request, response) => {
      const { namespace, name, localEndpoints } = open.check
      const serviceProxyHealthy = this.#isProxyHealthy()
      response.writeHead(localEndpoints > 0 && serviceProxyHealthy ? 200 : 503, {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        'X-Load-Balancing-Endpoint-Weight': String(localEndpoints),
        Connection: 'close',
      })
      const service = { namespace, name }
      response.end(JSON.stringify({ service, localEndpoints, serviceProxyHealthy }))
    })
    const open: Open = { server, check }
    server.on('error', error =>
      this.#log.error({ error, port: check.port }, 'a health check port of a Service cannot be opened'),
    )
    server.listen(check.port, '0.0.0.0')
    server.unref()
    return open
  }
}
