// The proxy's metrics, under kube-proxy's names. Upstream: pkg/proxy/metrics/metrics.go.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'

const FAMILY = { ip_family: 'IPv4' }

/** One millisecond, doubled fourteen times. */
const BUCKETS = Array.from({ length: 15 }, (_, index) => 0.001 * 2 ** index)

export class ProxyMetrics {
  readonly registry = new Registry()
  readonly #duration: Histogram
  readonly #lastSync: Gauge
  readonly #lastQueued: Gauge
  readonly #failures: Counter
  readonly #serviceChanges: Counter
  readonly #endpointChanges: Counter
  readonly #answers: Record<'healthz' | 'livez', Counter>

  constructor() {
    const registers = [this.registry]
    const ofFamily = { labelNames: ['ip_family'], registers }
    const sync = (rest: string, help: string) => ({ name: `kubeproxy_sync_proxy_rules_${rest}`, help })
    this.#duration = new Histogram({
      ...sync('duration_seconds', 'SyncProxyRules latency in seconds'),
      ...ofFamily,
      buckets: BUCKETS,
    })
    this.#lastSync = new Gauge({
      ...sync('last_timestamp_seconds', 'The last time proxy rules were successfully synced'),
      ...ofFamily,
    })
    this.#lastQueued = new Gauge({
      ...sync('last_queued_timestamp_seconds', 'The last time a sync of proxy rules was queued'),
      ...ofFamily,
    })
    this.#failures = new Counter({
      ...sync('nftables_sync_failures_total', 'Cumulative proxy nftables sync failures'),
      ...ofFamily,
    })
    this.#serviceChanges = new Counter({
      ...sync('service_changes_total', 'Cumulative proxy rules Service changes'),
      registers,
    })
    this.#endpointChanges = new Counter({
      ...sync('endpoint_changes_total', 'Cumulative proxy rules Endpoint changes'),
      registers,
    })
    const answers = (what: string) =>
      new Counter({
        name: `kubeproxy_proxy_${what}_total`,
        help: `Cumulative proxy ${what} HTTP status`,
        labelNames: ['code'],
        registers,
      })
    this.#answers = { healthz: answers('healthz'), livez: answers('livez') }
  }

  /** Times in milliseconds. */
  queued(what: 'service' | 'endpoint', now: number): void {
    const counter = what === 'service' ? this.#serviceChanges : this.#endpointChanges
    counter.inc()
    this.#lastQueued.set(FAMILY, now / 1000)
  }

  synced(startedAt: number, now: number): void {
    this.#duration.observe(FAMILY, (now - startedAt) / 1000)
    this.#lastSync.set(FAMILY, now / 1000)
  }

  failed(): void {
    this.#failures.inc(FAMILY)
  }

  answered(what: 'healthz' | 'livez', code: number): void {
    this.#answers[what].inc({ code: String(code) })
  }
}
