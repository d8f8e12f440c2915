import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { addProcessMetrics } from './process-metrics.ts'

const figures = async (registry: Registry) =>
  new Map(
    (await registry.metrics())
      .split('\n')
      .filter(line => line && !line.startsWith('#'))
      .map(line => line.split(' ') as [string, string])
      .map(([name, value]) => [name, Number(value)]),
  )

test('figures of the process are read whenever they are asked for', async () => {
  const registry = new Registry()
  addProcessMetrics(registry)
  const first = await figures(registry)
  assert.ok(first.get('process_resident_memory_bytes')! > 10e6)
  assert.ok(first.get('process_open_fds')! >= 3)
  assert.ok(first.get('process_max_fds')! >= first.get('process_open_fds')!)
  assert.ok(Math.abs(first.get('process_start_time_seconds')! - Date.now() / 1000) < 3600)
  const until = performance.now() + 20
  while (performance.now() < until);
  const second = await figures(registry)
  assert.ok(second.get('process_cpu_seconds_total')! > first.get('process_cpu_seconds_total')!)
})
