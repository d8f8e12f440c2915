// Seed "k8s--pod 生命周期、初始化容器、钩子函数": init containers that ping two servers, and hooks of all three kinds.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Pod } from '../../../src/api/types/core-v1.ts'
import { eventually, TestCluster } from '../test-cluster.ts'

// Of the network for documentation, on a link of this test: before the servers are there nobody else is asked.
const MYSQL = '198.51.100.14'
const REDIS = '198.51.100.15'
const link = `knt${randomBytes(4).toString('hex')}`
const ip = (...args: string[]) => execFileSync('ip', args)

let cluster: TestCluster

before(async () => {
  ip('link', 'add', link, 'type', 'bridge')
  ip('addr', 'add', '198.51.100.1/24', 'dev', link)
  ip('link', 'set', link, 'up')
  cluster = await TestCluster.up()
  await cluster.kubectl('create namespace zouzou')
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  ip('link', 'delete', link)
})

const podOf = (name: string) => cluster.json<Pod>(`get pod ${name} -n zouzou`)
const events = (name: string) =>
  cluster.kubectl(
    `get events -n zouzou --field-selector involvedObject.name=${name} -o custom-columns=:.type,:.reason,:.message --sort-by=.metadata.creationTimestamp`,
  )
const running = (name: string) =>
  eventually(`${name} ready`, async () => (await podOf(name)).status.containerStatuses?.[0]?.ready)
const page = async (name: string) =>
  (await (await fetch(`http://${(await podOf(name)).status.podIP}/`)).text()).trim()

test('the Pod waits for each server in turn', async () => {
  const manifest = `
apiVersion: v1
kind: Pod
metadata:
  name: pod-initcontainer
  namespace: zouzou
spec:
  containers:
  - name: main-container
    image: nginx:1.14
    ports:
    - name: nginx-port
      containerPort: 80
  initContainers:
  - name: test-mysql
    image: busybox:1.30
    command: ['sh', '-c', 'until ping ${MYSQL} -c 1 ; do echo waiting for mysql...; sleep 2; done;']
  - name: test-redis
    image: busybox:1.30
    command: ['sh', '-c', 'until ping ${REDIS} -c 1 ; do echo waiting for reids...; sleep 2; done;']
`
  await cluster.kubectl('create -f -', { input: manifest })
  const following = cluster.follow('get pods pod-initcontainer -n zouzou -w --no-headers')
  const statuses = () => following.lines.map(line => line.split(/ +/)[2])
  await eventually('test-mysql runs', async () => {
    const { initContainerStatuses: [mysql] = [] } = (await podOf('pod-initcontainer')).status
    return mysql?.state?.running
  })
  assert.equal(statuses().at(-1), 'Init:0/2')
  const lines = (await events('pod-initcontainer')).trim().split('\n')
  assert.match(lines[0]!, /^Normal +Scheduled +Successfully assigned zouzou\/pod-initcontainer to /)
  assert.match(
    lines[1]!,
    /^Normal +Pulled +Container image "busybox:1\.30" already present on machine and can be accessed by the pod/,
  )
  assert.match(lines[2]!, /^Normal +Created +Container created/)
  assert.match(lines[3]!, /^Normal +Started +Container started/)
  assert.equal(lines.length, 4, 'later containers have not been touched')

  ip('addr', 'add', `${MYSQL}/32`, 'dev', link)
  await eventually('Init:1/2', () => statuses().at(-1) === 'Init:1/2')
  ip('addr', 'add', `${REDIS}/32`, 'dev', link)
  await eventually('Running', () => statuses().at(-1) === 'Running')
  const order = statuses().filter((status, index, all) => status !== all[index - 1])
  assert.deepEqual(order.slice(order.indexOf('Init:0/2')), [
    'Init:0/2',
    'Init:1/2',
    'PodInitializing',
    'Running',
  ])
  following.stop()
  assert.match(await cluster.kubectl('logs pod-initcontainer -n zouzou -c test-redis'), /1 packets received/)
})

const hooked = (name: string, lifecycle: object, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'zouzou' },
  spec: {
    terminationGracePeriodSeconds: 10,
    containers: [
      {
        name: 'main-container',
        image: 'nginx:1.14',
        ports: [{ name: 'nginx-port', containerPort: 80 }],
        lifecycle,
        ...more,
      },
    ],
  },
})

const apply = (pod: object) => cluster.kubectl('apply -f -', { input: JSON.stringify(pod) })

test('exec: postStart changes the page that nginx serves, preStop ends nginx well before the grace', async () => {
  const pod = hooked('pod-hook-exec', {
    postStart: {
      exec: { command: ['/bin/sh', '-c', 'echo postStart... > /usr/share/nginx/html/index.html'] },
    },
    preStop: { exec: { command: ['/usr/sbin/nginx', '-s', 'quit'] } },
  })
  assert.equal(await apply(pod), 'pod/pod-hook-exec created\n')
  await running('pod-hook-exec')
  const wide = await cluster.kubectl('get pod pod-hook-exec -n zouzou -o wide')
  assert.match(wide, /^pod-hook-exec +1\/1 +Running +0 +\S+ +10\.\S+ +\S+ +<none> +<none>/m)
  assert.equal(await page('pod-hook-exec'), 'postStart...')
  const before = performance.now()
  await cluster.kubectl('delete pod pod-hook-exec -n zouzou')
  assert.ok(performance.now() - before < 8000, 'the hook ended it, not the grace')
})

test('httpGet: the hook asks the container itself, and the container sees it', async () => {
  await apply(hooked('pod-hook-http', { postStart: { httpGet: { path: '/?hook', port: 'nginx-port' } } }))
  await running('pod-hook-http')
  await eventually('the request in the log', async () =>
    /GET \/\?hook HTTP/.test(await cluster.kubectl('logs pod-hook-http -n zouzou')),
  )
})

test('tcpSocket: a connection that succeeds, and one that nobody answers', async () => {
  await apply(hooked('pod-hook-tcp', { postStart: { tcpSocket: { port: 80 } } }))
  await running('pod-hook-tcp')
  assert.doesNotMatch(await events('pod-hook-tcp'), /FailedPostStartHook/)
  await apply(hooked('pod-hook-closed', { postStart: { tcpSocket: { port: 8080 } } }))
  await eventually('the failed hook', async () =>
    /Warning +FailedPostStartHook/.test(await events('pod-hook-closed')),
  )
  await eventually('a restart', async () => {
    const [status] = (await podOf('pod-hook-closed')).status.containerStatuses ?? []
    return (status?.restartCount ?? 0) > 0
  })
})

test('a postStart that fails kills the container; the message names the command and what it printed', async () => {
  await apply(hooked('pod-hook-fails', { postStart: { exec: { command: ['cat', '/tmp/healthy'] } } }))
  await eventually('the event', async () =>
    /Warning +FailedPostStartHook +PostStartHook failed/.test(await events('pod-hook-fails')),
  )
  assert.match(await events('pod-hook-fails'), /Normal +Killing +.*FailedPostStartHook/)
})

test('termination: Terminating, then gone; the grace of 30 seconds is the default', async () => {
  const pod = await podOf('pod-initcontainer')
  assert.equal(pod.spec.terminationGracePeriodSeconds, 30)
  await cluster.kubectl('delete pod pod-hook-http -n zouzou --wait=false')
  const row = await cluster.tryKubectl(['get', 'pod', 'pod-hook-http', '-n', 'zouzou', '--no-headers'])
  assert.match(row.stdout + row.stderr, / Terminating | Completed |NotFound/)
  await cluster.kubectl('delete namespace zouzou --timeout=60s')
  assert.match((await cluster.tryKubectl(['get', 'namespace', 'zouzou'])).stderr, /not found/)
})
