// Figures of this process, in the names of every Prometheus client. prom-client's own set has a clock that ticks a
// hundred times a second, whether anybody asks or not; these are read when they are asked for.
import { readdirSync, readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

const MICROSECONDS = 1e6

export function addProcessMetrics(registry: Registry): void {
  const registers = [registry]
  new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Total user and system CPU time spent in seconds.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.reset()
      this.inc((user + system) / MICROSECONDS)
    },
  })
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.', () =>
    Math.round(performance.timeOrigin / 1000),
  )
  gauge('process_resident_memory_bytes', 'Resident memory size in bytes.', () => process.memoryUsage.rss())
  gauge('process_open_fds', 'Number of open file descriptors.', () => readdirSync('/proc/self/fd').length)
  gauge('process_max_fds', 'Maximum number of open file descriptors.', mostFiles)
  gauge(
    'nodejs_heap_size_used_bytes',
    'Process heap size used from Node.js in bytes.',
    () => process.memoryUsage().heapUsed,
  )
  gauge(
    'nodejs_eventloop_utilization',
    'Part of the time since the start in which the event loop was busy.',
    () => performance.eventLoopUtilization().utilization,
  )
}

/** Infinity where there is no limit. */
function mostFiles(): number {
  const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
  return soft === undefined || soft === 'unlimited' ? Infinity : Number(soft)
}
