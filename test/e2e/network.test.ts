// What upstream's network tests of the years after 1.20 ask of a cluster: Services that speak two protocols on one port,
// endpoints that end, health ports, addresses as objects, stray packets, every method through the proxy.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Pod, PodSpec, Service, ServiceSpec } from '../../src/api/types/core-v1.ts'
import type { IPAddress } from '../../src/api/types/networking-v1.ts'
import { ApiRequests, MERGE_PATCH } from './api-requests.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
let api: ApiRequests

/** Its name at 80, over TCP and UDP; at 9000 it holds connections and says what becomes of them. */
const SERVER = `
const name = require('node:os').hostname()
require('node:http').createServer((request, response) => {
  response.end(JSON.stringify({ name, method: request.method }))
}).listen(80)
const socket = require('node:dgram').createSocket('udp4')
socket.on('message', (_, from) => socket.send(name, from.port, from.address))
socket.bind(80)
require('node:net').createServer(connection => {
  console.log('open ' + connection.remoteAddress.replace('::ffff:', '') + ' ' + connection.remotePort)
  connection.on('error', error => console.log('broken ' + error.code)).on('close', () => console.log('closed'))
  connection.resume()
}).listen(9000)
`
const PODS = '/api/v1/namespaces/default/pods'
const SERVICES = '/api/v1/namespaces/default/services'
const ADDRESSES = '/apis/networking.k8s.io/v1/ipaddresses'

function pod(name: string, app: string, more: Partial<PodSpec> = {}, lifecycle?: object) {
  const container = {
    name: 'c',
    image: 'node:24',
    command: ['node', '-e', SERVER],
    readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 },
    ...(lifecycle && { lifecycle }),
  }
  return {
    metadata: { name, labels: { app } },
    spec: { terminationGracePeriodSeconds: 0, containers: [container], ...more },
  }
}

const makeService = (name: string, app: string, spec: Partial<ServiceSpec>) =>
  api.post<Service>(SERVICES, { metadata: { name }, spec: { selector: { app }, ...spec } as ServiceSpec })

const ready = (name: string) => cluster.kubectl(`wait --for=condition=Ready --timeout=30s pod/${name}`)

const inPod = (name: string, script: string) => cluster.kubectl(['exec', name, '--', 'node', '-e', script])

const http = (url: string) =>
  inPod(
    'client',
    `fetch('${url}', { signal: AbortSignal.timeout(2000) }).then(async r => console.log(r.status, await r.text()), () => console.log('nobody'))`,
  )

const datagram = (host: string) =>
  inPod(
    'client',
    `const s = require('node:dgram').createSocket('udp4'); s.on('message', m => { console.log(String(m)); s.close() }).on('error', () => {}); s.send('x', 80, '${host}'); setTimeout(() => { console.log('nobody'); process.exit() }, 500).unref()`,
  )

before(async () => {
  cluster = await TestCluster.up()
  await cluster.loadImages('node')
  api = await ApiRequests.of(cluster)
  await api.post(PODS, pod('web', 'web'))
  await api.post(PODS, pod('client', 'client'))
  await ready('web')
  await ready('client')
})

after(async () => {
  api?.close()
  await cluster?.[Symbol.asyncDispose]()
})

test('one port number may be of two protocols, and each comes and goes by itself', async () => {
  const tcp = { name: 't', port: 80, protocol: 'TCP' } as const
  const udp = { name: 'u', port: 80, protocol: 'UDP' } as const
  const { spec } = await makeService('both', 'web', { ports: [tcp, udp] })
  const ip = spec.clusterIP!
  const nameOf = (answer: string) => /"name":"(\w+)"/.exec(answer)?.[1] ?? answer.trim()
  const seen = async () => [nameOf(await http(`http://${ip}/`)), (await datagram(ip)).trim()]
  const becomes = (...expected: string[]) =>
    eventually(expected.join(', '), async () => (await seen()).join() === expected.join())
  await becomes('web', 'web')
  const keep = (port: object) => api.patch(`${SERVICES}/both`, { spec: { ports: [port] } }, MERGE_PATCH)
  await keep(tcp)
  await becomes('web', 'nobody')
  await keep(udp)
  await becomes('nobody', 'web')
})

test('a Pod that ends serves while no other does, but the health check port sends nobody new', async () => {
  const preStop = { exec: { command: ['sleep', '60'] } }
  await api.post(PODS, pod('leaving', 'leaving', { terminationGracePeriodSeconds: 60 }, { preStop }))
  await ready('leaving')
  const { spec } = await makeService('leaving', 'leaving', {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    ports: [{ port: 80 }],
  })
  const { hostIP } = (await api.get<Pod>(`${PODS}/leaving`)).status
  const health = async () => (await http(`http://${hostIP}:${spec.healthCheckNodePort}/`)).slice(0, 3)
  await eventually('it is counted', async () => (await health()) === '200')
  await cluster.kubectl('delete pod leaving --wait=false')
  await eventually('it is not counted any more', async () => (await health()) === '503')
  for (const url of [`http://${spec.clusterIP}/`, `http://${hostIP}:${spec.ports![0]!.nodePort}/`])
    assert.match(await http(url), /^200 .*leaving/)
  await cluster.kubectl('delete pod leaving --grace-period=0 --force')
})

test('the proxy tells that it keeps up', async () => {
  const { hostIP } = (await api.get<Pod>(`${PODS}/web`)).status
  assert.match(
    await http(`http://${hostIP}:10256/healthz`),
    /^200 \{"lastUpdated": .*"nodeEligible": true\}$/m,
  )
})

test('the object of a Service’s address comes back, and reserves the address for it', async () => {
  const { spec } = await makeService('held', 'web', { ports: [{ port: 80 }] })
  const path = `${ADDRESSES}/${spec.clusterIP}`
  await cluster.kubectl(`delete ipaddress ${spec.clusterIP}`)
  const again = await eventually('it is made again', () => api.get<IPAddress>(path))
  assert.equal(again.spec?.parentRef?.name, 'held')
  const output = await eventually('it is told', () =>
    cluster.kubectl('get events --field-selector reason=ClusterIPNotAllocated'),
  )
  assert.match(output, /Cluster IP \[IPv4\]: \S+ is not allocated; repairing/)
})

test('a stray segment of a server does not break its client’s connection', async () => {
  const { spec } = await makeService('stray', 'web', { ports: [{ port: 9000 }] })
  const held = inPod(
    'client',
    `require('node:net').connect(9000, '${spec.clusterIP}').on('error', () => {}); setTimeout(() => process.exit(), 4000)`,
  )
  const log = () => cluster.kubectl('logs web --tail=1')
  const [, ip, port] = await eventually('it is connected', async () => /^open (\S+) (\d+)/.exec(await log()))
  const { status } = await api.get<Pod>(`${PODS}/web`)
  const id = status.containerStatuses![0]!.containerID!.split('//')[1]!
  const runtime = join(cluster.dataDir, 'runtime')
  const pidFile = join(runtime, 'volatile/bundles', id, 'pidfile')
  const inside = [`--mount=${join(runtime, 'ns/mnt')}`, 'cat', pidFile]
  const pid = execFileSync('nsenter', inside, { encoding: 'utf8' }).trim()
  const fixture = join(import.meta.dirname, 'stray-segment.fixture.ts')
  const stray = [process.execPath, fixture, status.podIP!, '9000', ip!, port!]
  execFileSync('nsenter', ['-t', pid, '-n', ...stray])
  await new Promise(resolve => setTimeout(resolve, 1_000))
  assert.match(await log(), /^open/)
  await held
})

test('every method goes through the proxy of a Pod and of a Service', async () => {
  await makeService('proxied', 'web', { ports: [{ port: 80 }] })
  for (const owner of [`${PODS}/web:80`, `${SERVICES}/proxied`]) {
    for (const method of ['DELETE', 'GET', 'OPTIONS', 'PATCH', 'POST', 'PUT']) {
      const answer = await eventually(`${method} ${owner}`, async () => {
        const one = await api.send<{ method: string }>(method, `${owner}/proxy/some/path`)
        return one.code !== 503 && one
      })
      assert.deepEqual([answer.code, answer.body.method], [200, method])
    }
    for (const method of ['GET', 'HEAD'])
      assert.equal((await api.send<string>(method, `${owner}/proxy?method=${method}`)).code, 301)
  }
})
