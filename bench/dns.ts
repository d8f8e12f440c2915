// Queries per second and their delays at the cluster's DNS server, with 1,000 Services of 3 endpoints each.
// The load comes from a process of its own over UDP: `node bench/dns.ts`.
import { type ChildProcess, fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Draft } from '../src/api/kube-object.ts'
import { endpointSlices, services } from '../src/api/resources.ts'
import type { Service } from '../src/api/types/core-v1.ts'
import type { EndpointSlice } from '../src/api/types/discovery-v1.ts'
import { SystemClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import type { Client } from '../src/client/client.ts'
import { DnsServer } from '../src/dns/dns-server.ts'
import { query } from '../src/dns/testing/query.fixture.ts'
import { encodeMessage } from '../src/dns/wire/encode-message.ts'
import { memoryCluster, NAMESPACE } from './memory-cluster.ts'

const SERVICES = 1_000
const SECONDS = 3
/** Queries under way at once. */
const CLIENTS = 32

export interface DnsFigures {
  queriesPerSecond: number
  medianMs: number
  p99Ms: number
  /** Resident, of the server's whole process. */
  memoryMb: number
}

const clock = new SystemClock({ keepAlive: true })

/** Everything in one process but the load. */
export async function dnsBench(): Promise<DnsFigures> {
  const client = await clusterOf(SERVICES)
  const stop = new AbortController()
  const server = new DnsServer({
    client,
    clock,
    log: silentLog,
    zone: 'cluster.local',
    serviceAddress: '10.96.0.10',
    ownAddresses: [],
    ownRanges: ['10.96.0.0/16'],
    resolvConf: '/nonexistent/resolv.conf',
    random: Math.random,
  })
  const running = server.run(stop.signal)
  await server.synced
  const { port, close } = await server.listen('127.0.0.1', 0)
  const load: ChildProcess = fork(import.meta.filename, ['load', String(port)])
  const [figures] = (await once(load, 'message')) as [Omit<DnsFigures, 'memoryMb'>]
  const memoryMb = Math.round(process.memoryUsage().rss / 2 ** 20)
  await close()
  stop.abort()
  await running
  return { ...figures, memoryMb }
}

async function clusterOf(count: number): Promise<Client> {
  const client = await memoryCluster(clock)
  const namespace = NAMESPACE
  for (let index = 0; index < count; index++) {
    const name = `svc-${index}`
    const spec = { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] }
    await client.create(services, { metadata: { name, namespace }, spec } as Draft<Service>)
    await client.create(endpointSlices, {
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [1, 2, 3].map(last => ({
        addresses: [`10.${index >> 8}.${index & 255}.${last}`],
        conditions: {},
      })),
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    } as unknown as Draft<EndpointSlice>)
  }
  return client
}

/** As many sockets as clients; each asks again as soon as it is answered. */
async function load(port: number): Promise<void> {
  const delays: number[] = []
  const end = performance.now() + SECONDS * 1_000
  const ask = async (client: number) => {
    const socket = createSocket('udp4')
    socket.connect(port, '127.0.0.1')
    await once(socket, 'connect')
    for (let turn = client; performance.now() < end; turn += CLIENTS) {
      const startedAt = performance.now()
      socket.send(queryFor(turn))
      await once(socket, 'message')
      delays.push(performance.now() - startedAt)
    }
    socket.close()
  }
  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => ask(client)))
  delays.sort((a, b) => a - b)
  const at = (share: number) => Math.round(delays[Math.floor(delays.length * share)]! * 100) / 100
  process.send!({
    queriesPerSecond: Math.round(delays.length / SECONDS),
    medianMs: at(0.5),
    p99Ms: at(0.99),
  })
}

function queryFor(turn: number): Buffer {
  const name = `svc-${turn % SERVICES}.default.svc.cluster.local`
  return encodeMessage(query(name, turn % 2 ? 'a' : 'aaaa', { id: turn % 65_536 }))
}

if (process.argv[1] === import.meta.filename) {
  if (process.argv[2] === 'load') {
    await load(Number(process.argv[3]))
    process.disconnect()
  } else console.log(await dnsBench())
}
