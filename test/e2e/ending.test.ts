// Many Pods end at once: with their namespace, with the cluster when they have time, and when they have none.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { networkNames } from '../../src/runtime/native/network/pod-network.ts'
import { eventually, kubernode, machineState, TestCluster } from './test-cluster.ts'

const PODS = 20
const OBEDIENT = 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'
const DEAF = 'trap "" TERM; while :; do sleep 3600; done'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up()
})

after(() => cluster?.[Symbol.asyncDispose]())

async function startPods(namespace: string, script: string): Promise<void> {
  const items = Array.from({ length: PODS }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${index}`, namespace },
    spec: { containers: [{ name: 'c', image: 'busybox:1.36', command: ['sh', '-c', script] }] },
  }))
  const head = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [head, ...items] })
  await cluster.kubectl('create -f -', { input })
  await cluster.kubectl(`wait -n ${namespace} --for=condition=Ready pod --all --timeout=60s`)
}

const cables = async () =>
  (await machineState()).links!.filter(link => link.startsWith(networkNames(cluster.name).cablePrefix))

const down = (...more: string[]) =>
  kubernode('down', '--name', cluster.name, '--data-dir', cluster.dataDir, ...more)

test('a namespace of Pods that heed their signal is gone without waiting for a grace period', async () => {
  await startPods('many', OBEDIENT)
  assert.equal((await cables()).length, PODS)
  const began = performance.now()
  await cluster.kubectl('delete namespace many')
  assert.ok(performance.now() - began < 15_000)
  await eventually('their cables are gone', async () => (await cables()).length === 0)
})

test('a cluster that goes down waits for its Pods, and they run again when it comes up', async () => {
  await startPods('kept', OBEDIENT)
  const { code, stderr } = await down('--grace', '20s')
  assert.equal(code, 0, stderr)
  assert.deepEqual(await cables(), [])
  await cluster.start()
  await cluster.kubectl('wait -n kept --for=condition=Ready pod --all --timeout=60s')
  const { items } = await cluster.json<{ items: Pod[] }>('get pods -n kept')
  const ends = items.map(({ status }) => status.containerStatuses?.[0]?.lastState?.terminated?.exitCode)
  assert.deepEqual(ends, Array(PODS).fill(0))
  await cluster.kubectl('delete namespace kept --wait=false')
})

test('Pods without time are killed, and nothing is left of them', async () => {
  await startPods('deaf', DEAF)
  const began = performance.now()
  const { code, stderr } = await down('--purge')
  assert.equal(code, 0, stderr)
  assert.ok(performance.now() - began < 15_000, 'their grace period is not waited for')
  assert.ok(!existsSync(cluster.dataDir))
  const left = await machineState()
  const own = (lines: readonly string[] = []) => lines.filter(line => line.includes(cluster.name))
  for (const what of ['nft', 'cgroups', 'processes', 'devices']) assert.deepEqual(own(left[what]), [], what)
  const { bridge, cablePrefix } = networkNames(cluster.name)
  assert.ok(!left.links!.some(link => link === bridge || link.startsWith(cablePrefix)))
  assert.ok(!left.mounts!.some(path => path.startsWith(cluster.dataDir)))
})
