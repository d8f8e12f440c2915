// What outlives the program, and what must not: kill -9 and restart, and a machine left as it was found.
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { eventually, kubernode, machineState, TestCluster } from './test-cluster.ts'

const counter = `
apiVersion: v1
kind: Pod
metadata: {name: counter}
spec:
  initContainers:
  - {name: first, image: busybox, imagePullPolicy: IfNotPresent, command: ["true"]}
  containers:
  - name: count
    image: busybox
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "i=0; while true; do echo $i; i=$((i+1)); sleep 0.1; done"]
`

const isRunning = (cluster: TestCluster) =>
  eventually('Running', async () => {
    const pod = await cluster.json<Pod>('get pod counter')
    return pod.status.phase === 'Running' && pod
  })

test('kill -9 of the program loses nothing: objects, containers and logs are taken back', async () => {
  await using cluster = await TestCluster.up()
  await cluster.kubectl('create -f -', { input: counter })
  const before = await isRunning(cluster)
  await cluster.kubectl('create configmap kept --from-literal=a=b')
  cluster.killProgram()
  await cluster.start()
  assert.equal(await cluster.kubectl('get configmap kept -o jsonpath={.data.a}'), 'b')
  const after = await isRunning(cluster)
  assert.equal(after.metadata.uid, before.metadata.uid)
  const ids = (pod: Pod) =>
    [...pod.status.initContainerStatuses!, ...pod.status.containerStatuses!].map(
      ({ containerID, restartCount }) => [containerID, restartCount],
    )
  assert.deepEqual(ids(after), ids(before))
  assert.equal(after.status.podIP, before.status.podIP)
  await eventually('more lines', async () => (await cluster.kubectl('logs counter')).split('\n').length > 20)
  const lines = (await cluster.kubectl('logs counter')).trim().split('\n').map(Number)
  assert.deepEqual(
    lines,
    lines.map((_, index) => index),
  )
})

test('two clusters side by side, and after down the machine is as before', async () => {
  const before = await machineState()
  {
    await using one = await TestCluster.up()
    await using two = await TestCluster.up()
    for (const cluster of [one, two]) await cluster.kubectl('create -f -', { input: counter })
    const pods = await Promise.all([isRunning(one), isRunning(two)])
    assert.notEqual(pods[0].status.podIP, pods[1].status.podIP)
  }
  assert.deepEqual(await machineState(), before)
})

test('down after a kill -9 cleans up as well', async () => {
  const before = await machineState()
  {
    await using cluster = await TestCluster.up()
    await cluster.kubectl('create -f -', { input: counter })
    await isRunning(cluster)
    cluster.killProgram()
  }
  assert.deepEqual(await machineState(), before)
})

test('npm start -- --once shows the Pod becoming Ready, leaves nothing behind and exits 0', async () => {
  const before = await machineState()
  const { code, stdout, stderr } = await kubernode('demo', '--once', '--name', 'once-test')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /Pod is Ready/)
  assert.match(stdout, /<h1>Hello from the init container of nginx-init<\/h1>/)
  assert.deepEqual(await machineState(), before)
})

test('a port that is taken is said in one sentence and nothing half-started stays', async () => {
  const before = await machineState()
  const squatter = createServer().listen(0, '0.0.0.0')
  await new Promise(resolve => squatter.once('listening', resolve))
  const { port } = squatter.address() as AddressInfo
  const { code, stderr } = await kubernode(
    'up',
    '--name',
    'port-test',
    '--data-dir',
    `/tmp/kubernode-port-test-${port}`,
    '--port',
    String(port),
  )
  squatter.close()
  await kubernode('down', '--name', 'port-test', '--data-dir', `/tmp/kubernode-port-test-${port}`, '--purge')
  assert.equal(code, 1)
  assert.equal(stderr.trim().split('\n').length, 1, stderr)
  assert.match(stderr, new RegExp(`port ${port}.*--port`))
  assert.deepEqual(await machineState(), before)
})

test('without root the program says what it needs', async () => {
  const { spawnSync } = await import('node:child_process')
  const { status, stderr } = spawnSync(
    'setpriv',
    [
      '--reuid=65534',
      '--clear-groups',
      process.execPath,
      'dist/kubernode.mjs',
      'up',
      '--name',
      'nobody-test',
    ],
    {
      encoding: 'utf8',
    },
  )
  assert.equal(status, 1)
  assert.match(stderr, /Kubernode needs root/)
})

test('a disk without room is said in one sentence and nothing half-started stays', async () => {
  const { execFileSync } = await import('node:child_process')
  const { mkdtempSync, rmdirSync } = await import('node:fs')
  const disk = mkdtempSync('/tmp/kubernode-small-')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'small', disk])
  const before = await machineState()
  try {
    const { code, stderr } = await kubernode(
      'up',
      '--name',
      'full-test',
      '--data-dir',
      `${disk}/data`,
      '--port',
      '0',
    )
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^✘ Less than 64 MB are free on the disk of .*: free some space or choose another --data-dir\.\n$/,
    )
    assert.deepEqual(await machineState(), before)
  } finally {
    execFileSync('umount', [disk])
    rmdirSync(disk)
  }
})
