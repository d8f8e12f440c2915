// The server's own metrics, in the names Prometheus rules for Kubernetes expect.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { addProcessMetrics } from './process-metrics.ts'

export interface RequestLabels {
  verb: string
  group: string
  version: string
  resource: string
  subresource: string
  scope: string
}

export class ServerMetrics {
  readonly registry = new Registry()
  readonly #total: Counter
  readonly #duration: Histogram
  readonly #longRunning: Gauge

  constructor() {
    const labels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component']
    const registers = [this.registry]
    addProcessMetrics(this.registry)
    this.#total = new Counter({
      name: 'apiserver_request_total',
      help: 'Requests answered, by verb, resource and HTTP code.',
      labelNames: [...labels, 'code'],
      registers,
    })
    this.#duration = new Histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time from the request to its whole answer; watches and logs are left out.',
      labelNames: labels,
      buckets: [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 10, 30, 60],
      registers,
    })
    this.#longRunning = new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches and streams that are open now.',
      labelNames: labels,
      registers,
    })
  }

  /** Call at the start; call what it answers when the answer is complete. */
  start(labels: RequestLabels, longRunning: boolean, now: () => number): (code: number) => void {
    const all = { ...labels, component: 'apiserver' }
    const startedAt = now()
    if (longRunning) this.#longRunning.inc(all)
    return code => {
      this.#total.inc({ ...all, code: String(code) })
      if (longRunning) this.#longRunning.dec(all)
      else this.#duration.observe(all, (now() - startedAt) / 1000)
    }
  }
}
