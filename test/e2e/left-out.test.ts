// Clusters without some of their parts: whoever brings their own finds nobody in the way, and nothing on the machine.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import { eventually, machineState, TestCluster } from './test-cluster.ts'

test('the API and its controllers alone make nothing on the machine', async () => {
  await using cluster = await TestCluster.up('--without', 'kubelet,proxy,dns', '--store', 'memory')
  const { mounts, nft, cgroups, processes } = await machineState()
  const ofCluster = (lines: string[] = []) =>
    lines.filter(line => line.includes(cluster.name) || line.includes(cluster.dataDir))
  assert.deepEqual(ofCluster([...mounts!, ...nft!, ...cgroups!]), [])
  assert.equal(ofCluster(processes).length, 1)
  await cluster.kubectl('create deployment web --image=nginx --replicas=2')
  const pods = await eventually('the controllers at work', async () => {
    const { items } = await cluster.json<{ items: Pod[] }>('get pods')
    return items.length === 2 && items
  })
  assert.deepEqual(
    pods.map(({ spec, status }) => [spec.nodeName, status.phase]),
    [
      [undefined, 'Pending'],
      [undefined, 'Pending'],
    ],
  )
  assert.equal(await cluster.kubectl('get nodes,storageclasses -o name'), '')
})

test('without scheduler and controllers Pods wait for whoever binds them, and then run', async () => {
  await using cluster = await TestCluster.up('--without', 'scheduler,controllers')
  await cluster.kubectl('create deployment web --image=nginx')
  await cluster.kubectl('create serviceaccount default')
  // Nobody publishes the certificate that a token's volume carries.
  await cluster.kubectl('run one --image=nginx --overrides={"spec":{"automountServiceAccountToken":false}}')
  assert.equal(await cluster.kubectl('get pods -o name'), 'pod/one\n')
  assert.equal(await cluster.kubectl('get pod one -o jsonpath={.spec.nodeName}'), '')
  const { metadata } = (await cluster.json<{ items: { metadata: { name: string } }[] }>('get nodes'))
    .items[0]!
  await cluster.kubectl('create --raw /api/v1/namespaces/default/pods/one/binding -f -', {
    input: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'one' },
      target: { apiVersion: 'v1', kind: 'Node', name: metadata.name },
    }),
  })
  await cluster.kubectl('wait --for=condition=Ready pod/one --timeout=20s')
})
