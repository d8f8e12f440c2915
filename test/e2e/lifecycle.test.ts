// The life of Pods with real containers: hooks, sidecars of both forms, deadlines, last words, restart rules, gates,
// probes with a grace of their own, logs across rotation, static Pods, and the node going down. One cluster; all Pods
// are made at once, and each test looks at its own.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ContainerStatus, Pod } from '../../src/api/types/core-v1.ts'
import { box, lifecyclePods, pod, shared, stays, tells, volumesOf } from './lifecycle.fixture.ts'
import { eventually, kubernode, type Output, pageAt, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
let applied: Output
const dir = mkdtempSync(join(tmpdir(), 'kubernode-lifecycle-'))
const manifests = join(dir, 'manifests')
const out = join(dir, 'out')

before(async () => {
  for (const folder of [manifests, out]) mkdirSync(folder)
  const configuration = join(dir, 'kubelet.yaml')
  writeFileSync(
    configuration,
    `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerLogMaxSize: 4Ki
containerLogMonitorInterval: 3s
crashLoopBackOff: {maxContainerRestartPeriod: 2s}
`,
  )
  writeFileSync(
    join(manifests, 'static.yaml'),
    JSON.stringify(pod('static', { containers: [box('app', stays)] })),
  )
  cluster = await TestCluster.up('--kubelet-config', configuration, '--manifests', manifests)
  applied = await cluster.tryKubectl(['create', '-f', '-'], {
    input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: lifecyclePods(out) }),
  })
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true, force: true })
})

const get = (name: string) => cluster.json<Pod>(`get pod ${name}`)
const until = (name: string, wanted: (pod: Pod) => unknown) =>
  eventually(`pod ${name} as wanted`, async () => {
    const found = await get(name)
    return wanted(found) ? found : undefined
  })
const status = (
  { status: { initContainerStatuses = [], containerStatuses = [] } }: Pod,
  name: string,
): ContainerStatus => [...initContainerStatuses, ...containerStatuses].find(one => one.name === name)!
const isReady = ({ status: { conditions } }: Pod) =>
  conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
const events = (name: string) =>
  cluster.kubectl([
    'get',
    'events',
    '--field-selector',
    `involvedObject.name=${name}`,
    '-o',
    'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
  ])
const condition = ({ status: { conditions } }: Pod, wanted: string) =>
  conditions?.find(({ type }) => type === wanted)

test('the old form of sidecars is accepted with a warning that names the new one', () => {
  assert.equal(applied.code, 0, applied.stderr)
  assert.match(
    applied.stderr,
    /Warning: spec\.containers\[1\]\.lifecycle\.type: .* spec\.initContainers with restartPolicy: Always/,
  )
})

test('a postStart command changes the page, a connection attempt waits for its server, a preStop command runs', async () => {
  const ready = await until('hooks', isReady)
  assert.equal(status(ready, 'tcp').restartCount, 0)
  assert.equal(await pageAt(`http://${ready.status.podIP}/`), 'hello from the hook\n')
  await cluster.kubectl('delete pod hooks')
  assert.equal(readFileSync(join(out, 'bye'), 'utf8'), 'bye\n')
})

test('a postStart hook that fails ends its container and shows why', async () => {
  const failed = await until(
    'badhook',
    one =>
      status(one, 'app').state.waiting?.reason === 'PostStartHookError' ||
      status(one, 'app').restartCount > 0,
  )
  assert.ok(failed)
  const told = await eventually('both events', async () => {
    const list = await events('badhook')
    return list.includes('Killing: FailedPostStartHook') && list
  })
  assert.match(told, /^FailedPostStartHook: PostStartHook failed$/m)
  await until('badhook', one =>
    /^back-off 2s restarting failed container=app pod=badhook_default\(/.test(
      status(one, 'app').state.waiting?.message ?? '',
    ),
  )
})

test('an HTTPS hook to a server of plain HTTP falls back and says so', async () => {
  await until('fallback', isReady)
  assert.match(
    await events('fallback'),
    /LifecycleHTTPFallback: request to HTTPS lifecycle hook .*:80 got HTTP response, retry with HTTP succeeded/,
  )
})

test('sidecars do not keep a finished Pod, end in reverse order, and tell their own exit codes', async () => {
  const done = await until('sides', one => one.status.phase === 'Succeeded')
  assert.deepEqual(readFileSync(join(out, 'ends'), 'utf8').trim().split('\n'), ['job', 'two', 'one'])
  assert.equal(status(done, 'one').state.terminated?.exitCode, 7)
  assert.equal(status(done, 'two').state.terminated?.exitCode, 8)
  assert.match(await cluster.kubectl('get pod sides --no-headers'), /^sides +0\/3 +Completed +0 /)
  assert.equal(condition(done, 'Ready')?.reason, 'PodCompleted')
})

test('a sidecar of the old form starts first, the app waits for its readiness, and the Pod succeeds', async () => {
  const done = await until('legacy', one => one.status.phase === 'Succeeded')
  const startOf = (name: string) => Date.parse(status(done, name).state.terminated!.startedAt!)
  assert.ok(startOf('app') - startOf('proxy') >= 1_000, 'the app waited')
  assert.equal(status(done, 'proxy').restartCount, 0)
})

test('a deadline fails the Pod', async () => {
  const failed = await until('deadline', one => one.status.phase === 'Failed')
  assert.equal(failed.status.reason, 'DeadlineExceeded')
  assert.equal(failed.status.message, 'Pod was active on the node longer than the specified deadline')
  assert.match(
    await events('deadline'),
    /^DeadlineExceeded: Pod was active on the node longer than the specified deadline$/m,
  )
})

test('last words come from the file or, on failure, from the log', async () => {
  const done = await until('words', one => one.status.phase === 'Failed')
  const words = (name: string) => status(done, name).state.terminated?.message
  assert.equal(words('logs'), 'first\nlast words\n')
  assert.equal(words('file'), 'x'.repeat(4096))
  assert.equal(words('fine'), undefined)
})

test('an exit that asks for it restarts all containers in the same sandbox', async () => {
  const again = await until('rules', one => status(one, 'init').restartCount === 1 && isReady(one))
  assert.deepEqual(
    ['app', 'other'].map(name => status(again, name).restartCount),
    [1, 1],
  )
  assert.equal(status(again, 'other').lastState.terminated?.reason, 'RestartingAllContainers')
  assert.equal(condition(again, 'AllContainersRestarting')?.status, 'False')
})

test('a readiness gate keeps the Pod from being Ready until it opens', async () => {
  const waiting = await until('gated', one => condition(one, 'Ready')?.reason === 'ReadinessGatesNotReady')
  assert.equal(
    condition(waiting, 'Ready')?.message,
    'corresponding condition of pod readiness gate "example.com/go" does not exist.',
  )
  const open = '{"status":{"conditions":[{"type":"example.com/go","status":"True"}]}}'
  await cluster.kubectl(['patch', 'pod', 'gated', '--subresource=status', '--type=strategic', '-p', open])
  await until('gated', isReady)
  assert.match(await cluster.kubectl('get pod gated -o wide --no-headers'), / 1\/1 *$/m)
})

test('a probe’s own grace is what its kill grants', async () => {
  const killed = await until('sick', one => status(one, 'app').lastState.terminated)
  const { exitCode, startedAt, finishedAt } = status(killed, 'app').lastState.terminated!
  assert.equal(exitCode, 137)
  assert.ok(Date.parse(finishedAt!) - Date.parse(startedAt!) < 10_000, 'not the 30 seconds of the Pod')
  assert.match(await events('sick'), /^Killing: Container app failed liveness probe, will be restarted$/m)
})

test('a container may choose the signal that ends it', async () => {
  const ready = await until('signal', isReady)
  assert.equal(status(ready, 'app').stopSignal, 'SIGUSR1')
  await cluster.kubectl('delete pod signal')
  assert.equal(readFileSync(join(out, 'signal'), 'utf8'), 'usr1\n')
})

test('a new image replaces only its container', async () => {
  const ready = await until('gated', one => status(one, 'app')?.state.running)
  await cluster.kubectl('set image pod/gated app=busybox:1.30')
  const again = await until(
    'gated',
    one => status(one, 'app').restartCount === 1 && status(one, 'app').state.running,
  )
  assert.equal(again.status.podIP, ready.status.podIP)
  assert.match(await events('gated'), /^Killing: Container app definition changed, will be restarted$/m)
})

test('logs -f goes on across rotations and misses no line', async () => {
  await until('talk', isReady)
  const log = cluster.follow('logs -f talk')
  await eventually('two rotations, the older one packed', async () => {
    const { uid } = (await get('talk')).metadata
    const folder = join(cluster.dataDir, 'logs', 'pods', `default_talk_${uid}`, 'app')
    const names = readdirSync(folder)
    return (
      names.some(name => /^0\.log\.[\d-]+\.gz$/.test(name)) &&
      names.some(name => /^0\.log\.[\d-]+$/.test(name))
    )
  })
  const seen = log.lines.length
  await eventually('more lines', () => log.lines.length > seen + 20)
  log.stop()
  const first = Number(/line (\d+)/.exec(log.lines[0]!)![1])
  for (const [index, line] of log.lines.entries())
    assert.equal(line, `line ${first + index} of a log that is rotated`)
})

test('a static Pod runs, its mirror comes back, and it goes with its manifest', async () => {
  const [name] = (await cluster.kubectl('get pods -o name'))
    .split('\n')
    .filter(line => /pod\/static-/.test(line))
  const mirror = name!.replace('pod/', '')
  const ready = await until(mirror, isReady)
  await cluster.kubectl(`delete pod ${mirror} --wait=false`)
  const again = await until(mirror, one => one.metadata.uid !== ready.metadata.uid && isReady(one))
  assert.equal(status(again, 'app').containerID, status(ready, 'app').containerID)
  rmSync(join(manifests, 'static.yaml'))
  await eventually('it is gone', async () => (await cluster.tryKubectl(['get', 'pod', mirror])).code === 1)
})

test('when the node goes down, Pods end in their ways; when it comes up, they run again', async () => {
  await until('fallback', isReady)
  await cluster.kubectl([
    'run',
    'polite',
    '--image=busybox',
    '--image-pull-policy=IfNotPresent',
    '--overrides',
    JSON.stringify({
      spec: { volumes: volumesOf(out), containers: [box('app', tells('polite', 0), shared)] },
    }),
  ])
  await until('polite', isReady)
  const { code, stderr } = await kubernode(
    'down',
    '--grace',
    '5s',
    '--name',
    cluster.name,
    '--data-dir',
    cluster.dataDir,
  )
  assert.equal(code, 0, stderr)
  assert.match(readFileSync(join(out, 'ends'), 'utf8'), /^polite$/m)
  await cluster.start()
  const again = await until('polite', one => isReady(one) && status(one, 'app').restartCount === 1)
  assert.equal(status(again, 'app').lastState.terminated?.exitCode, 0)
})
