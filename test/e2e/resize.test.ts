// In-place resize (KEP-1287): the limits of running containers change, as the kernel has them, without a restart.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { after, before, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { cpuQuota, memoryLimit } from './cgroup-file.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
  await cluster.kubectl(['apply', '-f', '-'], { input: PODS })
  await cluster.kubectl('wait --for=condition=Ready pod --all --timeout=20s')
})
after(() => cluster?.[Symbol.asyncDispose]())

const pod = (name: string, resources: string, more = '') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: busybox:1.36
    command: [sh, -c, "trap 'exit 0' TERM; sleep 1000 & wait"]
    resources: ${resources}
${more}---`

const PODS = [
  pod('quiet', '{requests: {cpu: 50m, memory: 32Mi}, limits: {cpu: 100m, memory: 64Mi}}'),
  pod(
    'restarts',
    '{requests: {memory: 32Mi}, limits: {memory: 64Mi}}',
    `    resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]\n`,
  ),
  pod('small', '{requests: {cpu: 10m}}'),
  pod('big', `{requests: {cpu: ${availableParallelism() * 1000 - 500}m}}`),
].join('\n')

const get = (name: string) => cluster.json<Pod>(`get pod ${name}`)
const resize = (name: string, resources: object) =>
  cluster.tryKubectl([
    'patch',
    'pod',
    name,
    '--subresource=resize',
    '-p',
    JSON.stringify({ spec: { containers: [{ name: 'app', resources }] } }),
  ])
const condition = ({ status }: Pod, wanted: string) => status.conditions?.find(({ type }) => type === wanted)
const events = async (name: string) =>
  (await cluster.kubectl(`events --for pod/${name}`)).split('\n').map(line => line.replaceAll(/ {2,}/g, '  '))
const done = (name: string) =>
  eventually(`${name} is resized`, async () => {
    const found = await get(name)
    const asked = found.spec.containers[0]!.resources
    const [status] = found.status.containerStatuses!
    const over = !condition(found, 'PodResizeInProgress') && !condition(found, 'PodResizePending')
    return (
      over && status?.state?.running && JSON.stringify(status.resources) === JSON.stringify(asked) && found
    )
  })

test('cpu and memory grow while the container runs', async () => {
  const before = await get('quiet')
  assert.deepEqual(before.status.containerStatuses![0]!.allocatedResources, { cpu: '50m', memory: '32Mi' })
  assert.deepEqual(
    [cpuQuota(cluster.name, before, 'app'), cpuQuota(cluster.name, before)],
    ['10000', '10000'],
  )
  const { code, stderr } = await resize('quiet', {
    requests: { cpu: '100m', memory: '64Mi' },
    limits: { cpu: '200m', memory: '128Mi' },
  })
  assert.equal(code, 0, stderr)
  const after = await done('quiet')
  assert.equal(after.status.containerStatuses![0]!.restartCount, 0)
  assert.equal(
    after.status.containerStatuses![0]!.containerID,
    before.status.containerStatuses![0]!.containerID,
  )
  assert.deepEqual(after.status.containerStatuses![0]!.allocatedResources, { cpu: '100m', memory: '64Mi' })
  assert.deepEqual([cpuQuota(cluster.name, after, 'app'), cpuQuota(cluster.name, after)], ['20000', '20000'])
  const bytes = String(128 << 20)
  assert.deepEqual(
    [memoryLimit(cluster.name, after, 'app'), memoryLimit(cluster.name, after)],
    [bytes, bytes],
  )
  const told = (await events('quiet')).join('\n')
  const summary =
    '{"containers":[{"name":"app","resources":{"limits":{"cpu":"200m","memory":"128Mi"},"requests":{"cpu":"100m","memory":"64Mi"}}}],"generation":2}'
  assert.ok(told.includes(`ResizeStarted  Pod/quiet  Pod resize started: ${summary}`), told)
  await eventually('the end is told', async () =>
    (await events('quiet'))
      .join('\n')
      .includes(`ResizeCompleted  Pod/quiet  Pod resize completed: ${summary}`),
  )
})

test('and shrink again', async () => {
  await resize('quiet', { requests: { cpu: '20m', memory: '16Mi' }, limits: { cpu: '50m', memory: '32Mi' } })
  const after = await done('quiet')
  assert.deepEqual([cpuQuota(cluster.name, after, 'app'), cpuQuota(cluster.name, after)], ['5000', '5000'])
  assert.equal(memoryLimit(cluster.name, after, 'app'), String(32 << 20))
  assert.equal(after.status.containerStatuses![0]!.restartCount, 0)
})

test('a limit below what is in use is not set; the reason shows until another one comes', async () => {
  await resize('quiet', { requests: { memory: '4Ki' }, limits: { memory: '8Ki' } })
  const found = await eventually('the error shows', async () => {
    const { message } = condition(await get('quiet'), 'PodResizeInProgress') ?? {}
    return message
  })
  assert.match(
    found,
    /^cannot decrease memory limits: attempting to set container "app" memory limit \(8192\) below current usage \(\d+\)$/,
  )
  assert.match(
    (await events('quiet')).join('\n'),
    /Warning {2}ResizeError {2}Pod\/quiet {2}Pod resize error: \{/,
  )
  await resize('quiet', { requests: { memory: '16Mi' }, limits: { memory: '32Mi' } })
  await done('quiet')
})

test('a container whose policy says so is started anew', async () => {
  await resize('restarts', { requests: { memory: '48Mi' }, limits: { memory: '96Mi' } })
  const after = await eventually('it runs again', async () => {
    const found = await get('restarts')
    const [status] = found.status.containerStatuses!
    return status?.restartCount === 1 && status.state?.running && found
  })
  assert.equal(memoryLimit(cluster.name, after, 'app'), String(96 << 20))
  assert.match(
    (await events('restarts')).join('\n'),
    /Killing {2}Pod\/restarts {2}Container app resize requires restart/,
  )
})

test('what the node has not free now is deferred until it is free', async () => {
  const cpu = `${availableParallelism() * 1000 - 100}m`
  await resize('small', { requests: { cpu } })
  const waiting = await eventually('it waits', async () => condition(await get('small'), 'PodResizePending'))
  assert.equal(waiting.reason, 'Deferred')
  assert.equal(waiting.observedGeneration, 2)
  assert.match(
    waiting.message!,
    /^Node didn't have enough resource: cpu, requested: \d+, used: \d+, capacity: \d+$/,
  )
  assert.deepEqual((await get('small')).status.containerStatuses![0]!.allocatedResources, { cpu: '10m' })
  await cluster.kubectl('delete pod big quiet --wait=true')
  const after = await done('small')
  assert.deepEqual(after.status.containerStatuses![0]!.allocatedResources, {
    cpu: after.spec.containers[0]!.resources!.requests!.cpu,
  })
})

test('what the node will never have is refused', async () => {
  const { code, stderr } = await resize('small', { requests: { cpu: '1000' } })
  assert.equal(code, 1)
  assert.equal(
    stderr.trim(),
    `Error from server (Forbidden): pods "small" is forbidden: node didn't have enough allocatable resources: cpu, requested: 1000000, allocatable: ${availableParallelism() * 1000}`,
  )
})
