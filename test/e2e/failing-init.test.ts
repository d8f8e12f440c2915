// Init containers that fail: retried with back-off under Always and OnFailure, final under Never.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
const shared = mkdtempSync(join(tmpdir(), 'kubernode-shared-'))

before(async () => {
  cluster = await TestCluster.up()
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  rmSync(shared, { recursive: true, force: true })
})

const pod = (name: string, restartPolicy: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: ${restartPolicy}
  initContainers:
  - name: first
    image: busybox:1.30
    command: ["true"]
  - name: check
    image: busybox:1.30
    command: [sh, -c, "echo looking for /shared/${name}; test -e /shared/${name}"]
    volumeMounts: [{name: shared, mountPath: /shared}]
  containers:
  - name: app
    image: busybox:1.30
    command: [sh, -c, "echo the app is running; exec sleep 3600"]
  volumes:
  - name: shared
    hostPath: {path: ${shared}, type: Directory}
`

const statusOf = async (name: string) => (await cluster.kubectl(`get pod ${name} --no-headers`)).split(/ +/)

test('under Always the init container is retried with back-off until the cause goes away', async () => {
  const watch = cluster.follow('get pods -w --no-headers')
  await cluster.kubectl(['create', '-f', '-'], { input: pod('always', 'Always') })
  const statuses = () =>
    watch.lines.filter(line => line.startsWith('always ')).map(line => line.split(/ +/)[2]!)
  await eventually('back-off', () => statuses().includes('Init:CrashLoopBackOff'))
  assert.ok(statuses().includes('Init:Error'), `Init:Error was seen in ${statuses()}`)
  const live = await cluster.json<Pod>('get pod always')
  const check = live.status.initContainerStatuses![1]!
  assert.equal(check.restartCount, 1)
  assert.equal(check.lastState?.terminated?.exitCode, 1)
  assert.match(
    check.state!.waiting!.message!,
    /^back-off 10s restarting failed container=check pod=always_default\(/,
  )
  assert.equal(live.status.phase, 'Pending')
  assert.equal(live.status.containerStatuses![0]!.state?.waiting?.reason, 'PodInitializing')

  writeFileSync(join(shared, 'always'), '')
  await eventually('Running', async () => (await statusOf('always'))[2] === 'Running', 40_000)
  watch.stop()
  assert.match(await cluster.kubectl('get pod always'), /always +1\/1 +Running +0 /)
  assert.equal(await cluster.kubectl('logs always -c check --previous'), 'looking for /shared/always\n')
  assert.match(
    await cluster.kubectl('get events --field-selector reason=BackOff'),
    /Back-off restarting failed container check in pod always_default\(/,
  )
})

test('under OnFailure it is retried as well', async () => {
  await cluster.kubectl(['create', '-f', '-'], { input: pod('onfailure', 'OnFailure') })
  await eventually('a restart', async () => Number((await statusOf('onfailure'))[3]) >= 1)
  writeFileSync(join(shared, 'onfailure'), '')
  await eventually('Running', async () => (await statusOf('onfailure'))[2] === 'Running', 40_000)
})

test('under Never the Pod fails and the app is never started', async () => {
  await cluster.kubectl(['create', '-f', '-'], { input: pod('never', 'Never') })
  await eventually('Init:Error', async () => (await statusOf('never'))[2] === 'Init:Error')
  const failed = await eventually('Failed', async () => {
    const live = await cluster.json<Pod>('get pod never')
    return live.status.phase === 'Failed' && live
  })
  assert.equal(failed.status.initContainerStatuses![1]!.state?.terminated?.exitCode, 1)
  assert.equal(failed.status.containerStatuses![0]!.state?.waiting?.reason, 'PodInitializing')
  const initialized = failed.status.conditions!.find(({ type }) => type === 'Initialized')!
  assert.equal(initialized.status, 'False')
  assert.equal(initialized.reason, 'ContainersNotInitialized')
  assert.equal(initialized.message, 'containers with incomplete status: [check]')
})
