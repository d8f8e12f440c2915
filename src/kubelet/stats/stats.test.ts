// From the runtime's figures to the summary, and from there to what Prometheus and metrics-server read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../api/types/core-v1.ts'
import type { ContainerStats, PodSandboxStats } from '../../runtime/cri/cri.generated.ts'
import { LABEL } from '../runtime-view/cri-labels.ts'
import { cadvisorMetrics } from './cadvisor-metrics.ts'
import { cgroupMetrics } from './cgroup-metrics.ts'
import { ContainerRates } from './container-rates.ts'
import { machineCpuNanoseconds, machineFaults, machineMemory, machineSwap } from './node-figures.ts'
import { prometheusText } from './prometheus-text.ts'
import { resourceMetrics } from './resource-metrics.ts'
import type { CgroupSubject } from './stats-collector.ts'
import { podFigures, type Summary } from './summary.ts'

const AT = 1_795_249_271_000
const TIME = '2026-11-21T08:21:11Z'
const timestamp = AT * 1e6

const pod = {
  metadata: { name: 'p', namespace: 'ns', uid: 'u' },
  spec: { containers: [{ name: 'a' }, { name: 'b' }] },
  status: {
    startTime: '2026-11-21T08:00:00Z',
    containerStatuses: [{ name: 'a', state: { running: { startedAt: '2026-11-21T08:00:01Z' } } }],
  },
} as unknown as Pod

const stats = (name: string, nanoCores: number, bytes: number): ContainerStats => ({
  attributes: {
    id: name,
    metadata: { name, attempt: 0 },
    labels: { [LABEL.containerName]: name },
    annotations: {},
  },
  cpu: { timestamp, usageCoreNanoSeconds: { value: nanoCores * 10 }, usageNanoCores: { value: nanoCores } },
  memory: { timestamp, workingSetBytes: { value: bytes } },
  swap: { timestamp, swapUsageBytes: { value: 7 } },
  writableLayer: { timestamp, usedBytes: { value: 100 }, inodesUsed: { value: 1 } },
})
const sandbox: PodSandboxStats = {
  attributes: {
    id: 's',
    metadata: { name: 'p', uid: 'u', namespace: 'ns', attempt: 0 },
    labels: {},
    annotations: {},
  },
  linux: {
    cpu: { timestamp, usageCoreNanoSeconds: { value: 77e9 } },
    network: {
      timestamp,
      defaultInterface: { name: 'eth0', rxBytes: { value: 5 }, txBytes: { value: 6 } },
      interfaces: [],
    },
    process: { timestamp, processCount: { value: 3 } },
    containers: [],
  },
}
const disk = { time: TIME, capacityBytes: 1000 }
const disks = {
  logs: new Map([['a', { time: TIME, usedBytes: 10, inodesUsed: 2 }]]),
  volumes: [
    { name: 'v', time: TIME, usedBytes: 1, inodesUsed: 1 },
    { name: 'kept', time: TIME, usedBytes: 5_000, inodesUsed: 50, pvcRef: { name: 'c', namespace: 'ns' } },
  ],
}
const both = [stats('a', 100, 2048), stats('b', 200, 1024)]

test('without the sandbox’s own figures a pod is the sum of its containers', () => {
  const figures = podFigures(pod, both, undefined, disks, disk)
  assert.deepEqual(figures.cpu, { time: TIME, usageNanoCores: 300, usageCoreNanoSeconds: 3000 })
  assert.deepEqual(figures.memory, { time: TIME, workingSetBytes: 3072 })
  assert.deepEqual(figures['ephemeral-storage'], { ...disk, usedBytes: 211, inodesUsed: 5 })
  assert.equal(figures.network, undefined)
})

test('with them it is what the sandbox says', () => {
  const figures = podFigures(pod, both, sandbox, disks, disk)
  assert.equal(figures.cpu?.usageCoreNanoSeconds, 77e9)
  assert.equal(figures.process_stats?.process_count, 3)
  assert.deepEqual(figures.network, {
    time: TIME,
    name: 'eth0',
    rxBytes: 5,
    txBytes: 6,
    interfaces: [{ name: 'eth0', rxBytes: 5, txBytes: 6 }],
  })
  const [a, b] = figures.containers
  assert.equal(a!.startTime, '2026-11-21T08:00:01Z')
  assert.deepEqual(a!.rootfs, { time: TIME, capacityBytes: 1000, usedBytes: 100, inodesUsed: 1 })
  assert.deepEqual([a!.logs?.usedBytes, b!.logs], [10, undefined])
})

const summary: Summary = {
  node: {
    nodeName: 'n',
    startTime: TIME,
    cpu: { time: TIME, usageCoreNanoSeconds: 9e9 },
    memory: { time: TIME, workingSetBytes: 42 },
    fs: disk,
    runtime: { imageFs: disk, containerFs: disk },
    rlimit: { time: TIME, maxpid: 1, curproc: 1 },
  },
  pods: [podFigures(pod, [stats('a', 1e9, 2048)], sandbox, disks, disk)],
}

test('a runtime that tells only totals gets its rates here', () => {
  const rates = new ContainerRates()
  const labels = { [LABEL.containerName]: 'a', [LABEL.podUid]: 'u' }
  const total = (at: string, value: number): ContainerStats => ({
    attributes: { id: 'a', metadata: { name: 'a', attempt: 0 }, labels, annotations: {} },
    cpu: { timestamp: Date.parse(at) * 1e6, usageCoreNanoSeconds: { value } },
  })
  const rate = (stats: ContainerStats) => rates.complete([stats], [pod])[0]!.cpu!.usageNanoCores?.value
  assert.equal(rate(total('2026-11-21T08:00:11Z', 5e9)), 0.5e9)
  assert.equal(rate(total('2026-11-21T08:00:21Z', 6e9)), 0.1e9)
})

test('metrics-server finds its figures', () => {
  const lines = prometheusText(resourceMetrics(summary)).split('\n')
  for (const line of [
    '# TYPE container_cpu_usage_seconds_total counter',
    `container_cpu_usage_seconds_total{container="a",namespace="ns",pod="p"} 10 ${AT}`,
    `container_memory_working_set_bytes{container="a",namespace="ns",pod="p"} 2048 ${AT}`,
    'container_start_time_seconds{container="a",namespace="ns",pod="p"} 1795248001',
    `node_cpu_usage_seconds_total 9 ${AT}`,
    `pod_cpu_usage_seconds_total{namespace="ns",pod="p"} 77 ${AT}`,
    `container_swap_usage_bytes{container="a",namespace="ns",pod="p"} 7 ${AT}`,
    `pod_swap_usage_bytes{namespace="ns",pod="p"} 7 ${AT}`,
    'resource_scrape_error 0',
  ]) {
    assert.ok(lines.includes(line), line)
  }
})

const traffic = { bytes: 5, packets: 7, errors: 0, dropped: 0 }
const subject: CgroupSubject = {
  pod,
  container: { name: 'a', id: '1' },
  path: '/k/podu/1',
  details: {
    cpu: { user: 1.5e9, system: 0.5e9 },
    throttling: { periods: 5, throttledPeriods: 2, throttledNanoseconds: 7e9 },
    memory: {
      cache: 300,
      mappedFile: 40,
      swap: 0,
      maximum: 1200,
      failures: 0,
      kills: 0,
      faults: { pgfault: 5, pgmajfault: 1 },
    },
    devices: [{ major: '8', minor: '0', reads: 1, writes: 2, readBytes: 10, writtenBytes: 20 }],
    limits: {
      cpuShares: 2,
      cpuPeriod: 100_000,
      cpuQuota: 5_000,
      memoryBytes: 4096,
      memorySwapBytes: 0,
      processes: 0,
    },
  },
  interfaces: [{ name: 'eth0', received: traffic, sent: traffic }],
}

test('dashboards find theirs', () => {
  const lines = prometheusText([...cadvisorMetrics(summary, [subject]), ...cgroupMetrics([subject])]).split(
    '\n',
  )
  for (const line of [
    `container_cpu_usage_seconds_total{container="",id="/",image="",name="",namespace="",pod="",cpu="total"} 9 ${AT}`,
    `container_memory_working_set_bytes{container="a",id="/k/podu/1",image="",name="1",namespace="ns",pod="p"} 2048 ${AT}`,
    `container_network_receive_bytes_total{container="",id="",image="",name="",namespace="ns",pod="p",interface="eth0"} 5 ${AT}`,
    'container_cpu_user_seconds_total{container="a",id="/k/podu/1",image="",name="1",namespace="ns",pod="p"} 1.5',
    'container_cpu_cfs_throttled_periods_total{container="a",id="/k/podu/1",image="",name="1",namespace="ns",pod="p"} 2',
    'container_memory_failures_total{container="a",id="/k/podu/1",image="",name="1",namespace="ns",pod="p",failure_type="pgfault",scope="container"} 5',
    'container_fs_reads_bytes_total{container="a",id="/k/podu/1",image="",name="1",namespace="ns",pod="p",device="8:0"} 10',
    'container_blkio_device_usage_total{container="a",id="/k/podu/1",image="",name="1",namespace="ns",pod="p",device="8:0",major="8",minor="0",operation="Write"} 20',
    'container_network_receive_packets_total{container="a",id="/k/podu/1",image="",name="1",namespace="ns",pod="p",interface="eth0"} 7',
  ]) {
    assert.ok(lines.includes(line), line)
  }
})

test('labels are escaped, and metrics without samples left out', () => {
  const metric = { help: 'h', type: 'gauge' as const }
  const samples = [{ labels: { l: 'a"b\\c\nd' }, value: 1 }]
  assert.equal(
    prometheusText([
      { ...metric, name: 'none', samples: [] },
      { ...metric, name: 'm', samples },
    ]),
    '# HELP m h\n# TYPE m gauge\nm{l="a\\"b\\\\c\\nd"} 1\n',
  )
})

test('the machine’s figures come from /proc', () => {
  assert.equal(machineCpuNanoseconds('cpu  1 2 3 100 50 4 5 6 0 0\ncpu0 1\n'), 210_000_000)
  const text = 'MemTotal: 100 kB\nMemFree: 30 kB\nInactive(file): 20 kB\nAnonPages: 5 kB\n'
  assert.deepEqual(machineFaults('pgfault 12\npgmajfault 3\n'), { pageFaults: 12, majorPageFaults: 3 })
  assert.deepEqual(machineSwap(TIME, 'SwapTotal: 10 kB\nSwapFree: 4 kB\n'), {
    time: TIME,
    swapAvailableBytes: 4 * 1024,
    swapUsageBytes: 6 * 1024,
  })
  assert.deepEqual(machineMemory(TIME, text), {
    time: TIME,
    availableBytes: 50 * 1024,
    usageBytes: 70 * 1024,
    workingSetBytes: 50 * 1024,
    rssBytes: 5 * 1024,
  })
})
