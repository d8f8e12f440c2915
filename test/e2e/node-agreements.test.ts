// What a node owes its Pods by upstream's conformance tests of v1.36: images as volumes, variables from files, programs
// that cannot be run, runtime classes, delays of probes, and requests whose change restarts.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ContainerStatus, Pod } from '../../src/api/types/core-v1.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
  await cluster.kubectl(['apply', '-f', '-'], { input: OBJECTS })
})
after(() => cluster?.[Symbol.asyncDispose]())

const IMAGE = 'busybox:1.36'
const app = (more: object) => ({ name: 'app', image: IMAGE, ...more })
const sleeping = (more: object = {}) =>
  app({ command: ['sh', '-c', "trap 'exit 0' TERM; sleep 1000 & wait"], ...more })
const pod = (name: string, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { terminationGracePeriodSeconds: 1, ...spec },
})
const fileRef = (key: string, optional = false) => ({
  name: key,
  valueFrom: { fileKeyRef: { volumeName: 'made', path: 'app.env', key, optional } },
})
const imageVolume = (name: string, mount: object, reference = 'nginx') =>
  pod(name, {
    volumes: [{ name: 'site', image: { reference, pullPolicy: 'Always' } }],
    containers: [sleeping({ volumeMounts: [{ name: 'site', mountPath: '/site', ...mount }] })],
  })

const OBJECTS = JSON.stringify({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    imageVolume('whole', {}),
    imageVolume('part', { subPath: 'etc/nginx' }),
    imageVolume('absent', { subPath: 'no/such/path' }),
    imageVolume('unpulled', {}, 'registry.invalid/none:1'),
    pod('from-file', {
      restartPolicy: 'Never',
      volumes: [{ name: 'made', emptyDir: {} }],
      initContainers: [
        {
          name: 'make',
          image: IMAGE,
          command: ['sh', '-c', `printf "# made\\nMODE='fast one'\\n" > /made/app.env`],
          volumeMounts: [{ name: 'made', mountPath: '/made' }],
        },
      ],
      containers: [app({ command: ['env'], env: [fileRef('MODE'), fileRef('NONE', true)] })],
    }),
    pod('missing-never', { restartPolicy: 'Never', containers: [app({ command: ['no-such-program'] })] }),
    pod('missing-always', { containers: [app({ command: ['/no/such/program'] })] }),
    {
      apiVersion: 'node.k8s.io/v1',
      kind: 'RuntimeClass',
      metadata: { name: 'unknown' },
      handler: 'no-such-handler',
    },
    { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name: 'plain' }, handler: 'runc' },
    pod('odd', { runtimeClassName: 'unknown', containers: [sleeping()] }),
    pod('even', { runtimeClassName: 'plain', containers: [sleeping()] }),
    pod('patient', {
      containers: [sleeping({ readinessProbe: { exec: { command: ['true'] }, initialDelaySeconds: 3 } })],
    }),
    pod('asks', {
      containers: [
        sleeping({
          resources: { requests: { memory: '20Mi' }, limits: { memory: '40Mi' } },
          resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }],
          livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
        }),
      ],
    }),
  ],
})

const get = (name: string) => cluster.json<Pod>(`get pod ${name}`)
const statusOf = ({ status }: Pod): ContainerStatus | undefined => status.containerStatuses?.[0]
const until = (name: string, wanted: (pod: Pod) => boolean) =>
  eventually(`${name} is as wanted`, async () => {
    const found = await get(name)
    return wanted(found) && found
  })
const runs = (name: string) => until(name, found => statusOf(found)?.state.running !== undefined)
const eventsOf = (name: string) => cluster.kubectl(`events --for pod/${name}`)

test('an image is a volume: its files are there and nobody can change them', async () => {
  await runs('whole')
  assert.match(await cluster.kubectl('exec whole -- ls /site/etc/nginx'), /nginx\.conf/)
  const { stderr } = await cluster.tryKubectl(['exec', 'whole', '--', 'touch', '/site/x'])
  assert.match(stderr, /Read-only file system/)
  await runs('part')
  assert.match(await cluster.kubectl('exec part -- ls /site'), /nginx\.conf/)
})

test('an image volume that cannot be had tells why, as an image of a container does', async () => {
  const unpulled = await until('unpulled', found => !!statusOf(found)?.state.waiting?.reason?.match(/Pull/))
  assert.match(statusOf(unpulled)!.state.waiting!.reason!, /^(ErrImagePull|ImagePullBackOff)$/)
  const absent = await until('absent', found => statusOf(found)?.state.waiting?.message !== undefined)
  assert.equal(statusOf(absent)!.state.waiting!.reason, 'CreateContainerError')
})

test('a variable comes from a file that an init container made', async () => {
  await until('from-file', ({ status }) => status.phase === 'Succeeded')
  const variables = (await cluster.kubectl('logs from-file')).split('\n')
  assert.ok(variables.includes('MODE=fast one'))
  assert.ok(!variables.some(line => line.startsWith('NONE=')))
})

test('a program that is not there fails the start, and the restart policy decides', async () => {
  const failed = await until('missing-never', ({ status }) => status.phase === 'Failed')
  const { exitCode, reason, message, startedAt } = statusOf(failed)!.state.terminated!
  assert.deepEqual([exitCode, reason, startedAt], [128, 'StartError', '1970-01-01T00:00:00Z'])
  assert.match(message!, /exec: "no-such-program": executable file not found in \$PATH: unknown$/)
  const again = await until(
    'missing-always',
    found => statusOf(found)?.lastState?.terminated?.reason === 'StartError',
  )
  assert.match(statusOf(again)!.state.waiting!.reason!, /^(RunContainerError|CrashLoopBackOff)$/)
  assert.match(
    statusOf(again)!.lastState!.terminated!.message!,
    /"\/no\/such\/program": stat \/no\/such\/program: no such file/,
  )
})

test('a runtime class whose handler is not there keeps its Pod waiting', async () => {
  await runs('even')
  await eventually('it was told', async () =>
    (await eventsOf('odd')).includes('no runtime for "no-such-handler" is configured'),
  )
  assert.equal((await get('odd')).status.phase, 'Pending')
})

test('nothing makes a probe come before its initial delay', async () => {
  const started = statusOf(await runs('patient'))!.state.running!.startedAt!
  await cluster.kubectl('label pod patient looked=at')
  const readiness = ({ status }: Pod) => status.conditions?.find(({ type }) => type === 'Ready')
  const ready = readiness(await until('patient', found => readiness(found)?.status === 'True'))
  const seconds = (Date.parse(ready!.lastTransitionTime!) - Date.parse(started)) / 1_000
  assert.ok(seconds >= 2, `ready ${seconds} s after its start`)
})

test('another request of memory restarts the container whose policy asks for it', async () => {
  await runs('asks')
  const resources = { requests: { memory: '30Mi' } }
  const patch = JSON.stringify({ spec: { containers: [{ name: 'app', resources }] } })
  await cluster.kubectl(['patch', 'pod', 'asks', '--subresource=resize', '-p', patch])
  const resized = await until('asks', found => statusOf(found)?.restartCount === 1)
  assert.equal(resized.spec.containers[0]!.resources.requests!.memory, '30Mi')
  await until('asks', found => statusOf(found)?.resources?.requests?.memory === '30Mi')
})

test('the node counts its probes', async () => {
  const node = (await cluster.kubectl('get nodes -o name')).trim().replace('node/', '')
  await eventually('a count', async () =>
    /^prober_probe_total\{container="app",namespace="default",pod="asks",.*result="successful"\} \d+$/m.test(
      await cluster.kubectl(`get --raw /api/v1/nodes/${node}/proxy/metrics/probes`),
    ),
  )
})
