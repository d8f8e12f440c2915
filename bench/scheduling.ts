// Scheduling throughput and memory: 10,000 simulated Pods onto 1,000 simulated nodes, over the real API server with
// memory storage in one process: `node bench/scheduling.ts`.
import type { Draft } from '../src/api/kube-object.ts'
import { nodes, pods, services } from '../src/api/resources.ts'
import type { Node, Pod, PodSpec, Service } from '../src/api/types/core-v1.ts'
import { SystemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import type { Client } from '../src/client/client.ts'
import { EventsV1Recorder } from '../src/client/events/events-v1-recorder.ts'
import { Scheduler } from '../src/scheduler/scheduler.ts'
import { memoryCluster, NAMESPACE } from './memory-cluster.ts'

const NODES = 1_000
const PODS = 10_000
const ZONES = 10

export interface SchedulingFigures {
  kind: string
  seconds: number
  podsPerSecond: number
  /** Resident, of the whole process. */
  memoryMb: number
}

const clock = new SystemClock({ keepAlive: true })

/** What the Pods ask for beside cpu and memory. */
const KINDS: Record<string, Partial<PodSpec>> = {
  plain: {},
  spread: {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'topology.kubernetes.io/zone',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'web' } },
      },
    ],
  },
  apart: {
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { app: 'web' } },
            matchLabelKeys: ['group'],
          },
        ],
      },
    },
  },
}

/** Pods of a group are apart. */
const GROUPS = 100

export async function schedulingBench(kind: keyof typeof KINDS = 'plain'): Promise<SchedulingFigures> {
  const client = await memoryCluster(clock)
  const selector = { app: 'web' }
  const spec = { selector, ports: [{ port: 80 }], clusterIP: 'None' }
  await client.create(services, { metadata: { name: 'web', namespace: NAMESPACE }, spec } as Draft<Service>)
  for (let index = 0; index < NODES; index++) await addNode(client, index)
  for (let index = 0; index < PODS; index++) {
    await client.create(pods, podDraft(index, KINDS[kind]!))
  }
  const stop = new AbortController()
  const recorder = new EventsV1Recorder({
    client,
    reportingController: 'default-scheduler',
    hostname: 'bench',
    clock,
    log: silentLog,
  })
  const startedAt = performance.now()
  const running = new Scheduler({ client, clock, log: silentLog, recorder }).run(stop.signal)
  await allBound(client)
  const seconds = (performance.now() - startedAt) / 1000
  const memoryMb = Math.round(process.memoryUsage().rss / 2 ** 20)
  stop.abort()
  await running
  return {
    kind,
    seconds: Math.round(seconds * 10) / 10,
    podsPerSecond: Math.round(PODS / seconds),
    memoryMb,
  }
}

async function addNode(client: Client, index: number): Promise<void> {
  const name = `node-${index}`
  const labels = {
    'kubernetes.io/hostname': name,
    'topology.kubernetes.io/zone': `zone-${index % ZONES}`,
  }
  await client.create(nodes, { metadata: { name, labels }, spec: {} } as Draft<Node>)
  const allocatable = { cpu: '8', memory: '32Gi', pods: '110' }
  const patch = { status: { allocatable, capacity: allocatable } }
  const subresource = { subresource: 'status' }
  await client.patch(nodes, { name }, 'application/merge-patch+json', patch, subresource)
}

function podDraft(index: number, more: Partial<PodSpec>): Draft<Pod> {
  const metadata = {
    name: `pod-${index}`,
    namespace: NAMESPACE,
    labels: { app: 'web', group: `g${index % GROUPS}` },
  }
  const resources = { requests: { cpu: '500m', memory: '1Gi' } }
  return { metadata, spec: { containers: [{ name: 'c', image: 'x', resources }], ...more } } as Draft<Pod>
}

async function allBound(client: Client): Promise<void> {
  const stop = new AbortController()
  const bound = new Set<string>()
  for await (const event of client.watch(pods, { resourceVersion: '0', signal: stop.signal })) {
    if (event.type === 'BOOKMARK') continue
    const { metadata, spec } = event.object as Pod
    if (spec.nodeName) bound.add(metadata.uid)
    if (bound.size === PODS) break
  }
  stop.abort()
}

if (process.argv[1] === import.meta.filename) {
  console.log(await schedulingBench((process.argv[2] ?? 'plain') as keyof typeof KINDS))
}
