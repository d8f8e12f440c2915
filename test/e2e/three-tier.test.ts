// An application of three tiers: web (busybox httpd with a CGI program), redis and PostgreSQL on a volume. It starts in
// any order, survives the loss of any Pod and of the whole program, and is rolled without one failed request.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { ask, clientLoop } from './client-loop.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
let url: string

before(async () => {
  cluster = await TestCluster.up()
  await cluster.loadImages('redis', 'postgres')
})

after(() => cluster?.[Symbol.asyncDispose]())

/** Counts the visit in both stores: 'VERSION visits=N cached=N'. */
const PROGRAM = `#!/bin/sh
visits=$(psql -qtAX -h database -U postgres -c 'insert into visits default values returning id') || exit 1
cached=$(printf 'INCR visits\\r\\nQUIT\\r\\n' | nc cache 6379 | head -1 | tr -d ':\\r')
[ -n "$cached" ] || exit 1
printf 'Content-Type: text/plain\\r\\n\\r\\n%s visits=%s cached=%s' "$VERSION" "$visits" "$cached"
`
const MIGRATION = 'create table if not exists visits (id serial primary key)'

const service = (name: string, port: number) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port }] },
})

const workload = (kind: string, name: string, more: object, template: object) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    ...more,
    template: {
      metadata: { labels: { app: name } },
      spec: { terminationGracePeriodSeconds: 5, ...template },
    },
  },
})

const password = { name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'database', key: 'password' } } }

const database = [
  service('database', 5432),
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'database' },
    stringData: { password: 'secret' },
  },
  workload(
    'StatefulSet',
    'database',
    {
      serviceName: 'database',
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100Mi' } } },
        },
      ],
    },
    {
      containers: [
        {
          name: 'postgres',
          image: 'postgres:15',
          env: [{ ...password, name: 'POSTGRES_PASSWORD' }],
          readinessProbe: {
            exec: { command: ['pg_isready', '-h', '127.0.0.1', '-U', 'postgres'] },
            periodSeconds: 1,
          },
          volumeMounts: [{ name: 'data', mountPath: '/var/lib/postgresql/data' }],
        },
      ],
    },
  ),
]

const cache = [
  service('cache', 6379),
  workload(
    'Deployment',
    'cache',
    {},
    {
      containers: [
        { name: 'redis', image: 'redis:7', readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 1 } },
      ],
    },
  ),
]

const web = [
  service('web', 8080),
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'web' },
    data: { count: PROGRAM },
  },
  workload(
    'Deployment',
    'web',
    { replicas: 3, strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } },
    {
      initContainers: [
        {
          name: 'wait-for-services',
          image: 'busybox:1.36',
          command: ['sh', '-c', 'until nslookup database && nslookup cache; do sleep 0.5; done'],
        },
        {
          name: 'wait-for-cache',
          image: 'redis:7',
          command: ['sh', '-c', 'until [ "$(redis-cli -h cache ping)" = PONG ]; do sleep 0.5; done'],
        },
        {
          name: 'migrate',
          image: 'postgres:15',
          command: ['sh', '-c', `until psql -h database -U postgres -c '${MIGRATION}'; do sleep 0.5; done`],
          env: [password],
        },
      ],
      containers: [
        {
          name: 'web',
          image: 'postgres:15',
          command: ['busybox', 'httpd', '-f', '-p', '8080', '-h', '/www'],
          env: [password, { name: 'VERSION', value: 'v1' }],
          ports: [{ containerPort: 8080 }],
          readinessProbe: {
            httpGet: { path: '/cgi-bin/count', port: 8080 },
            periodSeconds: 1,
            timeoutSeconds: 5,
          },
          // Requests that are under way, and those of clients that have not heard yet, are still answered.
          lifecycle: { preStop: { sleep: { seconds: 2 } } },
          volumeMounts: [{ name: 'program', mountPath: '/www/cgi-bin' }],
        },
      ],
      volumes: [{ name: 'program', configMap: { name: 'web', defaultMode: 0o755 } }],
    },
  ),
]

const apply = (items: object[]) =>
  cluster.kubectl('apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })

const rolledOut = (timeout = 60) => cluster.kubectl(`rollout status deployment/web --timeout=${timeout}s`)

const figures = (answer: string) => {
  const [, version, visits, cached] = /^(v\d) visits=(\d+) cached=(\d+)$/.exec(answer) ?? []
  assert.ok(version, `an answer: ${answer}`)
  return { version, visits: Number(visits), cached: Number(cached) }
}

test('it starts from the wrong end: web waits for cache and database, which come last', async () => {
  await apply(web)
  const waiting = async () => (await cluster.kubectl('get pods -l app=web --no-headers')).trim().split('\n')
  await eventually('three Pods wait', async () => {
    const rows = await waiting()
    return rows.length === 3 && rows.every(row => / Init:0\/3 /.test(row))
  })
  await apply(cache)
  await apply(database)
  await rolledOut()
  assert.match(await cluster.kubectl('get pvc --no-headers'), /^data-database-0 +Bound +pvc-\S+ +100Mi +RWO/)
  const address = await cluster.kubectl('get service web -o jsonpath={.spec.clusterIP}')
  url = `http://${address}:8080/cgi-bin/count`
  assert.equal(figures(await ask(url)).version, 'v1')
})

test('it is rolled forward and back without one failed request', async () => {
  await using loop = clientLoop(url)
  await cluster.kubectl('set env deployment/web VERSION=v2')
  await rolledOut()
  await eventually('only v2', () => loop.answers.slice(-20).every(answer => answer.startsWith('v2')))
  await cluster.kubectl('rollout undo deployment/web')
  await rolledOut()
  await eventually('only v1', () => loop.answers.slice(-20).every(answer => answer.startsWith('v1')))
  await loop.stop()
  assert.deepEqual(loop.failures, [])
  const versions = loop.answers.map(answer => figures(answer).version)
  assert.ok(versions.includes('v1') && versions.includes('v2'))
})

test('the loss of a web Pod is not seen from outside', async () => {
  const [first] = (await cluster.json<{ items: Pod[] }>('get pods -l app=web')).items
  await using loop = clientLoop(url)
  await cluster.kubectl(`delete pod ${first!.metadata.name}`)
  await rolledOut()
  await loop.stop()
  assert.deepEqual(loop.failures, [])
})

test('the database comes back with its rows, the cache without, and the application goes on', async () => {
  const before = figures(await ask(url))
  await cluster.kubectl('delete pod database-0')
  await cluster.kubectl('delete pod -l app=cache')
  const after = await eventually('an answer', async () => figures(await ask(url)))
  assert.ok(after.visits > before.visits, 'rows outlive the Pod')
  assert.ok(after.cached < before.cached, 'a cache without a volume starts anew')
})

/** A PING to redis over a new connection; rejects when nobody answers. */
function ping(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 6379, timeout: 2_000 }, () => socket.write('PING\r\n'))
    socket.once('data', data => {
      socket.destroy()
      resolve(data.toString().trim())
    })
    socket.once('timeout', () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
  })
}

test('kill -9 of the whole program: Services go on without it, containers and rows are there after its return', async () => {
  await rolledOut()
  const ids = async () =>
    (await cluster.json<{ items: Pod[] }>('get pods')).items
      .flatMap(({ status }) => status.containerStatuses ?? [])
      .map(({ containerID }) => containerID)
      .sort()
  const before = await ids()
  const visits = figures(await ask(url)).visits
  const cacheAddress = await cluster.kubectl('get service cache -o jsonpath={.spec.clusterIP}')
  cluster.killProgram()
  for (let times = 0; times < 20; times++) assert.equal(await ping(cacheAddress), '+PONG')
  await cluster.start()
  const after = await eventually('an answer', async () => figures(await ask(url)))
  assert.ok(after.visits > visits)
  assert.deepEqual(await ids(), before)
})
