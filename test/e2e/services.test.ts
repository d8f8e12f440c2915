// Services end to end: real containers behind them, asked from pods and from the node, while endpoints come and go and
// while the program is killed.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { get } from 'node:https'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoints, Pod, Service } from '../../src/api/types/core-v1.ts'
import type { EndpointSlice } from '../../src/api/types/discovery-v1.ts'
import { networkNames } from '../../src/runtime/native/network/pod-network.ts'
import { pod, service } from './services.fixture.ts'
import { eventually, machineState, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

const apply = (...items: object[]) =>
  cluster.kubectl('apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })

const ready = (...names: string[]) =>
  cluster.kubectl(`wait --for=condition=Ready --timeout=30s ${names.map(name => `pod/${name}`).join(' ')}`)

const specOf = async (name: string) => (await cluster.json<Service>(`get service ${name}`)).spec
const addressOf = async (name: string) => (await specOf(name)).clusterIP!

async function ask(url: string, withinMs = 2_000): Promise<string> {
  const response = await fetch(url, {
    signal: AbortSignal.timeout(withinMs),
    headers: { connection: 'close' },
  })
  return response.text()
}

/** Names that answered, sorted, each once. */
async function answers(url: string, times = 24): Promise<string[]> {
  const all = await Promise.all(Array.from({ length: times }, () => ask(url)))
  return [...new Set(all)].toSorted()
}

/** 'refused', 'timeout' or whatever answered. */
async function outcome(url: string): Promise<string> {
  try {
    return await ask(url, 1_000)
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } }
    return name === 'TimeoutError' ? 'timeout' : cause?.code === 'ECONNREFUSED' ? 'refused' : String(error)
  }
}

const inPod = (name: string, script: string) => cluster.kubectl(['exec', name, '--', 'node', '-e', script])

before(async () => {
  cluster = await TestCluster.up()
  await cluster.loadImages('node')
  const web = { app: 'web' }
  await apply(
    service('web', {
      ports: [
        { name: 'http', port: 80, targetPort: 'web' },
        { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' },
      ],
    }),
    service('early'),
    pod('web-1', web),
    pod('web-2', web),
  )
  await apply(pod('client', { app: 'client' }))
  await ready('web-1', 'web-2', 'client')
})

after(async () => {
  const { bridge } = networkNames(cluster.name)
  await cluster[Symbol.asyncDispose]()
  const { nft, links, routes } = await machineState()
  assert.deepEqual(
    nft!.filter(line => line.includes(cluster.name)),
    [],
  )
  assert.ok(!links!.includes(bridge) && !routes!.some(route => route.includes(bridge)))
})

test('a cluster address leads to every ready pod, from pods and from the node', async () => {
  const ip = await addressOf('web')
  assert.deepEqual(await answers(`http://${ip}/`), ['web-1', 'web-2'])
  const script = `Promise.all(Array.from({ length: 24 }, () => fetch('http://' + process.env.WEB_SERVICE_HOST + ':' + process.env.WEB_SERVICE_PORT, { headers: { connection: 'close' } }).then(answer => answer.text()))).then(all => console.log([...new Set(all)].sort().join()))`
  assert.equal((await inPod('client', script)).trim(), 'web-1,web-2')
})

test('a pod that knocks at its own Service may get its own answer', async () => {
  const ip = await addressOf('web')
  const script = `Promise.all(Array.from({ length: 16 }, () => fetch('http://${ip}', { headers: { connection: 'close' } }).then(answer => answer.text()))).then(all => console.log([...new Set(all)].sort().join()))`
  assert.equal((await inPod('web-1', script)).trim(), 'web-1,web-2')
})

test('containers know the Services that were there before them', async () => {
  const env = JSON.parse(await inPod('client', 'console.log(JSON.stringify(process.env))'))
  const ip = await addressOf('web')
  const kubernetes = (await cluster.json<Service>('get service kubernetes')).spec.clusterIP
  assert.equal(env.WEB_SERVICE_HOST, ip)
  assert.equal(env.WEB_SERVICE_PORT, '80')
  assert.equal(env.WEB_SERVICE_PORT_DNS, '53')
  assert.equal(env.WEB_PORT_80_TCP, `tcp://${ip}:80`)
  assert.equal(env.WEB_PORT_53_UDP_PROTO, 'udp')
  assert.equal(env.KUBERNETES_SERVICE_HOST, kubernetes)
  assert.equal(env.KUBERNETES_SERVICE_PORT_HTTPS, '443')
})

test('the tables of kubectl', async () => {
  const ip = (await addressOf('web')).replaceAll('.', '\\.')
  assert.match(
    await cluster.kubectl('get svc web'),
    new RegExp(`web +ClusterIP +${ip} +<none> +80/TCP,53/UDP +\\d+s`),
  )
  for (const version of ['1.20', '1.36'] as const) {
    const endpoints = await cluster.kubectl('get endpoints web', { version })
    assert.match(endpoints, /web +(\d+\.){3}\d+:(8080|5353),.* \d+s/)
  }
  assert.match(
    await cluster.kubectl('get endpointslices'),
    /web-\w{5} +IPv4 +\S*8080\S* +(\d+\.){3}\d+,(\d+\.){3}\d+ +\d+s/,
  )
})

test('a pod in its init containers is listed as not ready, and gets nothing until it is done', async () => {
  const init = {
    name: 'i',
    image: 'busybox:1.36',
    command: ['sh', '-c', 'until [ -e /go/on ]; do sleep 0.1; done'],
    volumeMounts: [{ name: 'go', mountPath: '/go' }],
  }
  const spec = pod('late', { app: 'late' }).spec
  await apply(
    service('late', { selector: { app: 'late' } }),
    pod('late', { app: 'late' }, {
      ...spec,
      initContainers: [init],
      volumes: [{ name: 'go', emptyDir: {} }],
    } as never),
  )
  const conditions = async () => {
    const { items } = await cluster.json<{ items: EndpointSlice[] }>(
      'get endpointslices -l kubernetes.io/service-name=late',
    )
    return items[0]?.endpoints?.[0]?.conditions
  }
  assert.deepEqual(await eventually('the pod is listed', conditions), {
    ready: false,
    serving: false,
    terminating: false,
  })
  const url = `http://${await addressOf('late')}/`
  assert.equal(await outcome(url), 'refused')
  assert.match(await cluster.kubectl('get pod late --no-headers'), /Init:0\/1/)
  await cluster.kubectl(['exec', 'late', '-c', 'i', '--', 'touch', '/go/on'])
  await ready('late')
  await eventually('it answers', async () => (await outcome(url)) === 'late')
  assert.deepEqual(await conditions(), { ready: true, serving: true, terminating: false })
  await cluster.kubectl('delete pod late --now')
  assert.equal(
    await eventually('nobody is left', async () => (await outcome(url)) === 'refused' && 'refused'),
    'refused',
  )
})

test('node ports answer at every address of the node, and clients are remembered when asked', async () => {
  await apply(service('np', { type: 'NodePort', sessionAffinity: 'ClientIP' }))
  const { clusterIP, ports } = await specOf('np')
  const nodePort = ports![0]!.nodePort!
  const nodeIp = (await cluster.json<Pod>('get pod web-1')).status.hostIP!
  for (const host of [nodeIp, '127.0.0.1']) {
    const [one, ...others] = await eventually('the port answers', () =>
      answers(`http://${host}:${nodePort}/`, 12),
    )
    assert.match(one!, /^web-[12]$/)
    assert.deepEqual(others, [])
  }
  assert.equal((await answers(`http://${clusterIP}/`, 12)).length, 1)
  await cluster.kubectl(['patch', 'service', 'np', '-p', '{"spec":{"sessionAffinity":"None"}}'])
  await eventually('all answer again', async () => (await answers(`http://${clusterIP}/`, 24)).length === 2)
  await cluster.kubectl(['patch', 'service', 'np', '-p', '{"spec":{"type":"ClusterIP"}}'])
  await eventually(
    'the port is closed',
    async () => (await outcome(`http://${nodeIp}:${nodePort}/`)) === 'refused',
  )
})

test('Endpoints written by hand are mirrored and lead there; without ports open nothing answers', async () => {
  const { podIP } = (await cluster.json<Pod>('get pod web-1')).status
  const endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'manual' },
    subsets: [{ addresses: [{ ip: podIP }], ports: [{ name: 'http', port: 8080 }] }],
  } as Endpoints
  await apply(service('manual', { selector: undefined } as never), endpoints)
  const url = `http://${await addressOf('manual')}/`
  await eventually('it answers', async () => (await outcome(url)) === 'web-1')
  await cluster.kubectl('delete endpoints manual')
  await eventually('it is refused', async () => (await outcome(url)) === 'refused')
})

test('a balancer gets the address of the node, answers there, and lets go when deleted', async () => {
  await apply(
    service('lb', {
      type: 'LoadBalancer',
      ports: [{ name: 'http', port: 18_080, targetPort: 'web' as never }],
    }),
  )
  const ingress = await eventually(
    'it has an address',
    async () => (await cluster.json<Service>('get service lb')).status.loadBalancer?.ingress,
  )
  const url = `http://${ingress[0]!.ip}:18080/`
  assert.deepEqual(await answers(url), ['web-1', 'web-2'])
  assert.match(
    await cluster.kubectl('get svc lb'),
    new RegExp(`LoadBalancer .*${ingress[0]!.ip} +18080:\\d+/TCP`),
  )
  await cluster.kubectl('delete service lb --timeout=10s')
  await eventually('nobody listens there', async () => (await outcome(url)) === 'refused')
})

test('ports of the host lead to the pod, at the address it names', async () => {
  const at = (hostIP: string) => [{ containerPort: 8080, hostPort: 18_081, hostIP }]
  const withPorts = (name: string, ports: object[]) => {
    const made = pod(name, { app: 'hp' })
    made.spec.containers[0]!.ports = ports as never
    return made
  }
  const { hostIP } = (await cluster.json<Pod>('get pod web-1')).status
  await apply(withPorts('hp-1', at('127.0.0.1')), withPorts('hp-2', at(hostIP!)))
  await ready('hp-1', 'hp-2')
  assert.equal(await outcome('http://127.0.0.1:18081/'), 'hp-1')
  assert.equal(await outcome(`http://${hostIP}:18081/`), 'hp-2')
  await cluster.kubectl('delete pod hp-1 hp-2 --now')
  assert.equal(await outcome('http://127.0.0.1:18081/'), 'refused')
})

test('the kubernetes Service is the API server, by its address and certificate, to a pod with its token', async () => {
  const script = `
const { readFileSync } = require('node:fs')
const at = '/var/run/secrets/kubernetes.io/serviceaccount/'
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env
require('node:https').get({ host, port, path: '/version', ca: readFileSync(at + 'ca.crt'),
  headers: { authorization: 'Bearer ' + readFileSync(at + 'token', 'utf8') } }, response => {
  let text = ''
  response.on('data', part => { text += part }).on('end', () => console.log(response.statusCode, JSON.parse(text).major))
})`
  assert.equal((await inPod('client', script)).trim(), '200 1')
  const endpoints = await cluster.json<Endpoints>('get endpoints kubernetes')
  const [subset] = endpoints.subsets!
  const ca = await cluster.kubectl(
    'config view --raw -o jsonpath={.clusters[0].cluster.certificate-authority-data}',
  )
  const host = subset!.addresses![0]!.ip
  const port = subset!.ports![0]!.port
  const status = await new Promise<number | undefined>((resolve, reject) => {
    get({ host, port, path: '/version', ca: Buffer.from(ca, 'base64') }, response =>
      resolve(response.statusCode),
    ).on('error', reject)
  })
  assert.equal(status, 200)
})

test('a network policy lets in whom it names, and the node', async () => {
  const url = `http://${await addressOf('web')}/`
  const fromPod = async () =>
    (
      await inPod(
        'client',
        `fetch('${url}', { signal: AbortSignal.timeout(500) }).then(() => console.log('let in'), () => console.log('kept out'))`,
      )
    ).trim()
  const policy = (from: object[]) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'web' },
    spec: { podSelector: { matchLabels: { app: 'web' } }, ingress: from.length > 0 ? [{ from }] : [] },
  })
  assert.equal(await fromPod(), 'let in')
  await apply(policy([]))
  await eventually('the client is kept out', async () => (await fromPod()) === 'kept out')
  assert.match(await outcome(url), /^web-/)
  await apply(policy([{ podSelector: { matchLabels: { app: 'client' } } }]))
  await eventually('the client is let in', async () => (await fromPod()) === 'let in')
  await cluster.kubectl('delete networkpolicy web')
})

test('datagrams of one client go elsewhere when their endpoint is gone', async () => {
  const ip = await addressOf('web')
  const socket = createSocket('udp4')
  let last = ''
  socket.on('message', message => {
    last = message.toString()
  })
  await new Promise<void>(resolve => socket.bind(0, resolve))
  const send = async () => {
    last = ''
    socket.send('who?', 53, ip)
    await sleep(50)
    return last
  }
  try {
    const first = await eventually('somebody answers', send)
    assert.equal(await send(), first)
    await cluster.kubectl(`delete pod ${first} --now`)
    const other = await eventually('another one answers', send)
    assert.notEqual(other, first)
    await apply(pod(first, { app: 'web' }))
    await ready(first)
  } finally {
    socket.close()
  }
})

test('connections go on while the program is killed and started again', async () => {
  const ip = await addressOf('web')
  const outcomes: string[] = []
  let over = false
  const looping = (async () => {
    while (!over) {
      outcomes.push(await outcome(`http://${ip}/`))
      await sleep(10)
    }
  })()
  await sleep(200)
  cluster.killProgram()
  await sleep(300)
  await cluster.start()
  await sleep(500)
  over = true
  await looping
  assert.deepEqual([...new Set(outcomes)].toSorted(), ['web-1', 'web-2'])
  // What changes afterwards is served, too.
  await cluster.kubectl('delete pod web-2 --now')
  await eventually('one is left', async () => (await answers(`http://${ip}/`, 12)).join() === 'web-1')
})

test('an address is free again when its Service is gone', async () => {
  const ip = await addressOf('early')
  const clash = await cluster.tryKubectl([
    'create',
    'service',
    'clusterip',
    'again',
    '--tcp=80',
    `--clusterip=${ip}`,
  ])
  assert.match(
    clash.stderr,
    new RegExp(
      `spec.clusterIPs: Invalid value: \\["${ip}"\\]: failed to allocate IP ${ip}: provided IP is already allocated`,
    ),
  )
  await cluster.kubectl('delete service early')
  await cluster.kubectl(['create', 'service', 'clusterip', 'again', '--tcp=80', `--clusterip=${ip}`])
  assert.equal(await addressOf('again'), ip)
  const tables = execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' })
  assert.ok(tables.includes(`kubernode-${cluster.name}-proxy`))
})
