// Seed "K8S Container解析": the four kinds of containers. Init containers are in init-containers.test.ts; here are
// ephemeral containers, added as the article adds one, and sidecars, marked as the article marks one.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Pod } from '../../../src/api/types/core-v1.ts'
import { eventually, TestCluster } from '../test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(() => cluster?.[Symbol.asyncDispose]())

const podOf = (name: string) => cluster.json<Pod>(`get pod ${name}`)

async function create(name: string, spec: object): Promise<string> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { terminationGracePeriodSeconds: 5, ...spec },
  }
  const { code, stdout, stderr } = await cluster.tryKubectl(['create', '-f', '-'], {
    input: JSON.stringify(pod),
  })
  assert.equal(code, 0, stderr)
  assert.match(stdout, new RegExp(`pod/${name} created`))
  return stderr
}

const EPHEMERAL = {
  apiVersion: 'v1',
  kind: 'EphemeralContainers',
  metadata: { name: 'demo-pod' },
  ephemeralContainers: [
    {
      command: ['sh'],
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      name: 'debugger',
      stdin: true,
      tty: true,
      terminationMessagePolicy: 'File',
    },
  ],
}

test('an ephemeral container joins a running Pod through the raw request of the article', async () => {
  await create('demo-pod', { containers: [{ name: 'nginx', image: 'nginx:1.22' }] })
  await cluster.kubectl('wait --for=condition=Ready pod/demo-pod --timeout=20s')
  const file = join(cluster.dataDir, 'ec.json')
  writeFileSync(file, JSON.stringify(EPHEMERAL))
  const path = '/api/v1/namespaces/default/pods/demo-pod/ephemeralcontainers'
  const answer = JSON.parse(await cluster.kubectl(['replace', '--raw', path, '-f', file]))
  assert.equal(answer.kind, 'EphemeralContainers')
  assert.deepEqual(
    answer.ephemeralContainers.map(({ name }: { name: string }) => name),
    ['debugger'],
  )
  await eventually('the debugger runs', async () => {
    const [status] = (await podOf('demo-pod')).status.ephemeralContainerStatuses ?? []
    return status?.state?.running
  })
  const text = await cluster.kubectl('describe pod demo-pod')
  assert.match(
    text,
    /Ephemeral Containers:\n {2}debugger:\n +Container ID: +\S+:\/\/[0-9a-f]{64}\n +Image: +busybox/,
  )
  assert.match(text, /Ephemeral Containers:[\s\S]*?State: +Running/)
})

test('an ephemeral container cannot be changed, removed, or given ports, probes and resources', async () => {
  const path = '/api/v1/namespaces/default/pods/demo-pod/ephemeralcontainers'
  const replace = (containers: object[]) => {
    const file = join(cluster.dataDir, 'ec.json')
    writeFileSync(file, JSON.stringify({ ...EPHEMERAL, ephemeralContainers: containers }))
    return cluster.tryKubectl(['replace', '--raw', path, '-f', file])
  }
  const [debugger_] = EPHEMERAL.ephemeralContainers
  const refused: [object[], RegExp][] = [
    [[], /existing ephemeral containers "debugger" may not be removed/],
    [[{ ...debugger_, image: 'nginx' }], /existing ephemeral containers "debugger" may not be changed/],
    [
      [debugger_!, { ...debugger_, name: 'two', ports: [{ containerPort: 80 }] }],
      /ports: Forbidden: cannot be set for an Ephemeral Container/,
    ],
    [
      [debugger_!, { ...debugger_, name: 'two', livenessProbe: { exec: { command: ['true'] } } }],
      /livenessProbe: Forbidden: cannot be set for an Ephemeral Container/,
    ],
    [
      [debugger_!, { ...debugger_, name: 'two', resources: { limits: { cpu: '1' } } }],
      /resources: Forbidden: cannot be set for an Ephemeral Container/,
    ],
  ]
  for (const [containers, message] of refused) {
    const { code, stderr } = await replace(containers)
    assert.equal(code, 1)
    assert.match(stderr, message)
  }
  const edited = await cluster.edit('pod demo-pod', '/ephemeralContainers/,$ s/name: debugger/name: other/')
  assert.equal(edited.code, 1)
})

test('kubectl debug adds one that shares the processes of its target', async () => {
  const args = 'debug demo-pod --image=busybox:1.36 --target=nginx --container=looker -- sh -c'
  await cluster.kubectl([...args.split(' '), 'ps | grep -c "[n]ginx: master"; sleep 100'])
  await eventually('what it saw', async () => (await cluster.kubectl('logs demo-pod -c looker')) === '1\n')
})

test('a container of type Sidecar is ready before the others start, and ends after them', async () => {
  const script = (...lines: string[]) => ['sh', '-c', lines.join('\n')]
  const warning = await create('bookings', {
    containers: [
      {
        name: 'bookings',
        image: 'busybox:1.36',
        command: script(
          'trap "touch /shared/app-ended; exit 0" TERM',
          'cut -d" " -f1 /proc/uptime > /shared/app-started',
          'while true; do sleep 0.1; done',
        ),
        volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
      },
      {
        name: 'istio-proxy',
        image: 'busybox:1.36',
        command: script(
          'trap "test -e /shared/app-ended && echo the app has ended before; exit 0" TERM',
          'sleep 1',
          'touch /tmp/ready; cut -d" " -f1 /proc/uptime > /shared/proxy-ready',
          'while true; do sleep 0.1; done',
        ),
        lifecycle: { type: 'Sidecar' },
        readinessProbe: { exec: { command: ['cat', '/tmp/ready'] }, periodSeconds: 1 },
        volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
      },
    ],
    volumes: [{ name: 'shared', emptyDir: {} }],
  })
  assert.match(warning, /Warning: .*lifecycle\.type/)
  await cluster.kubectl('wait --for=condition=Ready pod/bookings --timeout=20s')
  const { containerStatuses = [] } = (await podOf('bookings')).status
  assert.deepEqual(
    containerStatuses.map(({ ready }) => ready),
    [true, true],
  )
  const follow = cluster.follow('logs -f bookings -c istio-proxy')
  const read = async (file: string) =>
    Number(await cluster.kubectl(['exec', 'bookings', '-c', 'bookings', '--', 'cat', `/shared/${file}`]))
  assert.ok((await read('proxy-ready')) < (await read('app-started')))
  await cluster.kubectl('delete pod bookings')
  await follow.ended
  assert.ok(follow.lines.includes('the app has ended before'), follow.lines.join('\n'))
})

test('a container of type Sidecar does not keep a finished Pod alive', async () => {
  await create('finished', {
    restartPolicy: 'Never',
    containers: [
      { name: 'work', image: 'busybox:1.36', command: ['true'] },
      {
        name: 'proxy',
        image: 'busybox:1.36',
        command: ['sh', '-c', 'trap "exit 0" TERM; while true; do sleep 0.1; done'],
        lifecycle: { type: 'Sidecar' },
      },
    ],
  })
  await eventually('Succeeded', async () => (await podOf('finished')).status.phase === 'Succeeded')
})

test('the modern form: an init container with restartPolicy Always', async () => {
  assert.equal(
    await create('modern', {
      initContainers: [
        {
          name: 'proxy',
          image: 'busybox:1.36',
          command: ['sh', '-c', 'trap "exit 0" TERM; while true; do sleep 0.1; done'],
          restartPolicy: 'Always',
          startupProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
        },
      ],
      containers: [{ name: 'app', image: 'nginx:1.22' }],
    }),
    '',
  )
  await cluster.kubectl('wait --for=condition=Ready pod/modern --timeout=20s')
  assert.match(await cluster.kubectl('get pod modern --no-headers'), /^modern +2\/2 +Running +0 /)
})
