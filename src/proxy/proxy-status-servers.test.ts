import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../api/types/core-v1.ts'
import { silentLog } from '../base/log.ts'
import { ManualClock } from '../base/manual-clock.ts'
import { ProxyHealth } from './proxy-health.ts'
import { ProxyMetrics } from './proxy-metrics.ts'
import { runStatusServers } from './proxy-status-servers.ts'

async function start({ healthPort = 0 } = {}) {
  const clock = new ManualClock(Date.parse('2026-01-01T00:00:00Z'))
  const [health, metrics, stop] = [new ProxyHealth(clock), new ProxyMetrics(), new AbortController()]
  const ports = { health: 0, status: 0 }
  const now = () => clock.now()
  const opened = Promise.withResolvers<void>()
  const options = { health, metrics, now, log: silentLog, healthPort, statusPort: 0 }
  const running = runStatusServers(options, stop.signal, (what, port) => {
    ports[what] = port
    if (ports.status && (ports.health || healthPort)) opened.resolve()
  })
  await opened.promise
  const ask = async (what: 'health' | 'status', path: string) => {
    const response = await fetch(`http://127.0.0.1:${ports[what]}${path}`)
    return { code: response.status, body: await response.text() }
  }
  const end = () => {
    stop.abort()
    return running
  }
  return { clock, health, metrics, ports, ask, [Symbol.asyncDispose]: end }
}

test('health is told with its times, and as a status', async () => {
  await using proxy = await start()
  proxy.health.updated()
  assert.deepEqual(await proxy.ask('health', '/healthz'), {
    code: 200,
    body: '{"lastUpdated": "2026-01-01 00:00:00.000 +0000 UTC","currentTime": "2026-01-01 00:00:00.000 +0000 UTC", "nodeEligible": true}',
  })
  proxy.health.queued()
  await proxy.clock.advance(60_000)
  for (const path of ['/healthz', '/livez']) assert.equal((await proxy.ask('health', path)).code, 503)
  proxy.health.updated()
  const taints = [{ key: 'ToBeDeletedByClusterAutoscaler' }]
  proxy.health.sawNode({ metadata: {}, spec: { taints } } as Node)
  assert.equal((await proxy.ask('health', '/healthz')).code, 503)
  assert.equal((await proxy.ask('health', '/livez')).code, 200)
  assert.equal((await proxy.ask('health', '/metrics')).code, 404)
})

test('mode and metrics are told to the node', async () => {
  await using proxy = await start()
  const { metrics } = proxy
  metrics.queued('service', 5_000)
  metrics.queued('endpoint', 6_000)
  metrics.synced(6_000, 6_020)
  await proxy.ask('health', '/healthz')
  assert.deepEqual(await proxy.ask('status', '/proxyMode'), { code: 200, body: 'nftables' })
  assert.deepEqual(await proxy.ask('status', '/healthz'), { code: 200, body: 'ok' })
  const { body } = await proxy.ask('status', '/metrics')
  for (const line of [
    'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family="IPv4"} 6',
    'kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family="IPv4"} 6.02',
    'kubeproxy_sync_proxy_rules_duration_seconds_sum{ip_family="IPv4"} 0.02',
    'kubeproxy_sync_proxy_rules_service_changes_total 1',
    'kubeproxy_sync_proxy_rules_endpoint_changes_total 1',
    'kubeproxy_proxy_healthz_total{code="200"} 1',
  ])
    assert.ok(body.split('\n').includes(line), line)
})

test('a port that another cluster has is left to it', async () => {
  await using first = await start()
  await using second = await start({ healthPort: first.ports.health })
  assert.equal(second.ports.health, 0)
  assert.equal((await second.ask('status', '/proxyMode')).code, 200)
  assert.equal((await first.ask('health', '/livez')).code, 200)
})
