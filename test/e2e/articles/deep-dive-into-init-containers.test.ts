// Seed "深入了解 Kubernetes Init 容器": a Deployment whose four init containers fetch files and look for a redis and a
// PostgreSQL; what get, describe, logs and events show on the way.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, test } from 'node:test'
import type { Pod } from '../../../src/api/types/core-v1.ts'
import { eventually, pageAt, TestCluster } from '../test-cluster.ts'

let cluster: TestCluster
let files: Server
/** Of the one Pod of the Deployment. */
let name: string
let watch: ReturnType<TestCluster['follow']>

before(async () => {
  // The first request fails, so that the first init container has to be restarted once.
  let requests = 0
  files = createServer((_, response) => {
    response.statusCode = requests++ === 0 ? 503 : 200
    response.end('fetched\n')
  })
  await new Promise<void>(resolve => files.listen(0, '0.0.0.0', resolve))
  cluster = await TestCluster.up()
  await cluster.loadImages('redis', 'postgres')
})

after(async () => {
  watch?.stop()
  await cluster?.[Symbol.asyncDispose]()
  files?.close()
})

const nodeAddress = () =>
  Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)!.address

const CHECK = `
missing=
for service in $SERVICES; do nslookup $service > /dev/null 2>&1 || missing="$missing $service"; done
[ -z "$missing" ] && exit 0
echo "At least one ($(echo $missing | sed "s/ .*//")) of the services ($SERVICES) is not available yet."
exit 1`

const deployment = () => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'k8s-init-containers' },
  spec: {
    selector: { matchLabels: { app: 'app' } },
    template: {
      metadata: { labels: { app: 'app' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        initContainers: [
          {
            name: 'init-fetch-files',
            image: 'busybox:1.36',
            command: ['sh', '-c', `mkdir -p $PUBLIC_ROOT; wget -O $PUBLIC_ROOT/index.html ${fileUrl()}`],
            env: [{ name: 'PUBLIC_ROOT', value: '/data/public' }],
            volumeMounts: [{ name: 'app-data', mountPath: '/data' }],
          },
          {
            name: 'init-check-services',
            image: 'busybox:1.36',
            command: ['sh', '-c', CHECK],
            env: [
              { name: 'APP_NAME', value: 'app' },
              { name: 'SERVICES', value: 'redis-master postgresql' },
            ],
          },
          {
            name: 'init-check-redis',
            image: 'redis:7',
            command: ['sh', '-c', 'until [ "$(redis-cli -h redis-master ping)" = PONG ]; do sleep 1; done'],
          },
          {
            name: 'init-migrate',
            image: 'postgres:15',
            command: [
              'sh',
              '-c',
              'until pg_isready -h postgresql; do sleep 1; done; psql -h postgresql -U postgres -c "create table visits (at timestamp)"',
            ],
            env: [{ name: 'PGPASSWORD', value: 'secret' }],
          },
        ],
        containers: [
          {
            name: 'app',
            image: 'nginx:1.22',
            env: [{ name: 'APP_NAME', value: 'app' }],
            volumeMounts: [
              { name: 'app-data', mountPath: '/usr/share/nginx/html', subPath: 'public', readOnly: true },
            ],
          },
        ],
        volumes: [{ name: 'app-data', emptyDir: {} }],
      },
    },
  },
})

const fileUrl = () => `http://${nodeAddress()}:${(files.address() as AddressInfo).port}/`

const statefulSet = (of: string, service: string, container: object, port: number) => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: service },
    spec: { selector: { app: of }, ports: [{ port }] },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: of },
    spec: {
      serviceName: service,
      selector: { matchLabels: { app: of } },
      template: {
        metadata: { labels: { app: of } },
        spec: { terminationGracePeriodSeconds: 1, containers: [container] },
      },
    },
  },
]

const apply = (...items: object[]) =>
  cluster.kubectl('apply -f -', { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) })

const statuses = () =>
  watch.lines
    .filter(line => line.startsWith(name))
    .map(line => line.split(/ +/)[2]!)
    .filter((status, index, all) => status !== all[index - 1])

test('the Pod has the name of its ReplicaSet; its init containers run one after the other and fail', async () => {
  watch = cluster.follow('get pods --watch --no-headers')
  await apply(deployment())
  name = await eventually('the Pod', () =>
    cluster.kubectl('get pods -l app=app -o jsonpath={.items[*].metadata.name}'),
  )
  // The hash of the template in the alphabet without vowels, and five characters more.
  assert.match(
    name,
    /^k8s-init-containers-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/,
  )
  await eventually('the back-off of the second', () => statuses().at(-1) === 'Init:CrashLoopBackOff')
  const seen = statuses()
  assert.equal(seen[0], 'Pending')
  for (const status of ['Init:0/4', 'Init:Error', 'Init:1/4'])
    assert.ok(seen.includes(status), `${status}: ${seen}`)
})

test('describe shows what each container does and waits for', async () => {
  const text = await cluster.kubectl(`describe pod ${name}`)
  for (const part of [
    new RegExp(`Controlled By: +ReplicaSet/${name.replace(/-\w+$/, '')}`),
    /init-fetch-files:[\s\S]*?State: +Terminated\n +Reason: +Completed\n +Exit Code: +0\n +Started: [\s\S]*?Ready: +True\n +Restart Count: +1\n +Environment:\n +PUBLIC_ROOT: +\/data\/public\n +Mounts:\n +\/data from app-data \(rw\)/,
    /init-check-services:[\s\S]*?State: +Waiting\n +Reason: +CrashLoopBackOff\n +Last State: +Terminated\n +Reason: +Error\n +Exit Code: +1\n[\s\S]*?Ready: +False\n +Restart Count: +\d\n +Environment:\n +APP_NAME: +app\n +SERVICES: +redis-master postgresql/,
    / {2}app:\n +Container ID: *\n[\s\S]*?State: +Waiting\n +Reason: +PodInitializing\n +Ready: +False\n +Restart Count: +0/,
    /Initialized +False *\n +Ready +False *\n +ContainersReady +False *\n +PodScheduled +True/,
  ]) {
    assert.match(text, part)
  }
})

test('logs of an init container, and the back-off among the events', async () => {
  assert.equal(
    await cluster.kubectl(`logs ${name} -c init-check-services`),
    'At least one (redis-master) of the services (redis-master postgresql) is not available yet.\n',
  )
  await eventually('the event', async () =>
    new RegExp(
      `Warning +BackOff +pod/${name} +Back-off restarting failed container init-check-services in pod ${name}_default\\([0-9a-f-]{36}\\)`,
    ).test(await cluster.kubectl('get events')),
  )
})

test('with redis-master-0 and postgresql-postgresql-0 the Pod runs', async () => {
  await apply(
    ...statefulSet('redis-master', 'redis-master', { name: 'redis', image: 'redis:7' }, 6379),
    ...statefulSet(
      'postgresql-postgresql',
      'postgresql',
      { name: 'postgresql', image: 'postgres:15', env: [{ name: 'POSTGRES_PASSWORD', value: 'secret' }] },
      5432,
    ),
  )
  await eventually('Running', () => statuses().at(-1) === 'Running', 60_000)
  const seen = statuses()
  assert.deepEqual(
    seen.slice(seen.lastIndexOf('Init:2/4')).filter(status => !status.includes('Crash')),
    ['Init:2/4', 'Init:3/4', 'PodInitializing', 'Running'],
  )
  const pod = await cluster.json<Pod>(`get pod ${name}`)
  assert.equal(await pageAt(`http://${pod.status.podIP}/`), 'fetched\n')
})

test('the finished init containers stand in the status with their counts', async () => {
  const pod = await cluster.json<Pod>(`get pod ${name}`)
  const [fetchFiles, check] = pod.status.initContainerStatuses!
  assert.equal(fetchFiles!.restartCount, 1)
  assert.equal(fetchFiles!.ready, true)
  assert.equal(fetchFiles!.lastState?.terminated?.exitCode, 1)
  assert.equal(fetchFiles!.state?.terminated?.reason, 'Completed')
  assert.match(fetchFiles!.state?.terminated?.startedAt ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  assert.ok(check!.restartCount >= 1)
  assert.deepEqual(
    pod.status.initContainerStatuses!.map(status => status.name),
    ['init-fetch-files', 'init-check-services', 'init-check-redis', 'init-migrate'],
  )
})

test('the condition Initialized of all Pods through the jsonpath of the article', async () => {
  const text = await cluster.kubectl([
    'get',
    'pods',
    '-o=jsonpath={"Pod Name, Condition Initialized"}{"\\n"}{range .items[*]}{.metadata.name},{@.status.conditions[?(@.type=="Initialized")].status}{"\\n"}{end}',
  ])
  assert.equal(
    text,
    `Pod Name, Condition Initialized\n${name},True\npostgresql-postgresql-0,True\nredis-master-0,True\n`,
  )
})

const forbidden: Record<string, [object, string]> = {
  lifecycle: [
    { lifecycle: { postStart: { exec: { command: ['true'] } } } },
    'spec.initContainers[0].lifecycle: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  livenessProbe: [
    { livenessProbe: { exec: { command: ['true'] } } },
    'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  readinessProbe: [
    { readinessProbe: { exec: { command: ['true'] } } },
    'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  startupProbe: [
    { startupProbe: { exec: { command: ['true'] } } },
    'spec.initContainers[0].startupProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
}
for (const [field, [more, message]] of Object.entries(forbidden)) {
  test(`an init container may not have a ${field}`, async () => {
    const image = 'busybox:1.36'
    const spec = {
      initContainers: [{ name: 'init', image, ...more }],
      containers: [{ name: 'app', image }],
    }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'wrong' }, spec }
    const { code, stderr } = await cluster.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(pod) })
    assert.equal(code, 1)
    assert.ok(stderr.includes(message), stderr)
  })
}
