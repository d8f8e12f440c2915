// kubectl top, and what monitoring reads of a node.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Node } from '../../src/api/types/core-v1.ts'
import { eventually, type KubectlVersion, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
let node: string

before(async () => {
  cluster = await TestCluster.up()
  node = (await cluster.kubectl('get nodes -o name')).trim().replace('node/', '')
  await cluster.kubectl(['apply', '-f', '-'], { input: BUSY })
  await cluster.kubectl('wait --for=condition=Ready pod/busy --timeout=20s')
})
after(() => cluster?.[Symbol.asyncDispose]())

const BUSY = `
apiVersion: v1
kind: Pod
metadata: {name: busy, labels: {app: busy}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: works
    image: busybox:1.36
    resources: {limits: {cpu: 100m, memory: 64Mi}}
    command: [sh, -c, "while :; do :; done"]
  - name: sleeps
    image: busybox:1.36
    command: [sleep, "1000"]
`

for (const version of ['1.20', '1.32', '1.36'] as KubectlVersion[]) {
  test(`kubectl ${version} top shows pods, containers and nodes; the limit holds`, async () => {
    const rows = await eventually('figures', async () => {
      const lines = (await cluster.kubectl('top pod --containers', { version })).trim().split('\n')
      return lines.length === 3 && lines.map(line => line.split(/ +/))
    })
    const works = rows.find(row => row.includes('works'))!
    const cores = Number(/^(\d+)m$/.exec(works[2]!)![1])
    assert.ok(cores > 5 && cores <= 130, `${cores} millicores under a limit of 100`)
    assert.match(await cluster.kubectl('top pod busy', { version }), /^NAME +CPU\(cores\) +MEMORY\(bytes\)/)
    const [, row] = (await eventually('the node', () => cluster.kubectl('top node', { version }))).split('\n')
    assert.match(row!, new RegExp(`^${node} +\\d+m +\\d+% +\\d+Mi +\\d+%`))
  })
}

test('a pod that is not there has no figures', async () => {
  const { stderr } = await cluster.tryKubectl(['top', 'pod', 'nope'])
  assert.equal(
    stderr.trim(),
    'Error from server (NotFound): podmetrics.metrics.k8s.io "default/nope" not found',
  )
})

test('the node answers summary and metrics through the API server', async () => {
  const raw = (path: string) => cluster.kubectl(`get --raw /api/v1/nodes/${node}/proxy/${path}`)
  const summary = JSON.parse(await raw('stats/summary'))
  assert.equal(summary.node.nodeName, node)
  const pod = summary.pods.find((one: { podRef: { name: string } }) => one.podRef.name === 'busy')
  assert.ok(
    pod.containers.every((one: { memory: { workingSetBytes: number } }) => one.memory.workingSetBytes > 0),
  )
  assert.ok(pod.network.interfaces.some(({ name }: { name: string }) => name === 'eth0'))
  assert.match(
    await raw('metrics/resource'),
    /^container_cpu_usage_seconds_total\{container="works",namespace="default",pod="busy"\} [\d.]+ \d+$/m,
  )
  assert.match(await raw('metrics/cadvisor'), /^container_memory_working_set_bytes\{container="works",/m)
  const { stderr } = await cluster.tryKubectl(['get', '--raw', `/api/v1/nodes/${node}/proxy/nothing`])
  assert.match(stderr, /NotFound/)
})

test('the node answers on a port of its own, to whoever may ask', async () => {
  const { status } = await cluster.json<Node>(`get node ${node}`)
  const port = status.daemonEndpoints?.kubeletEndpoint?.Port
  const address = status.addresses!.find(({ type }) => type === 'InternalIP')!.address
  await cluster.kubectl('create serviceaccount monitor')
  const token = (await cluster.kubectl('create token monitor')).trim()
  const authority = readFileSync(join(cluster.dataDir, 'pki', 'ca.crt'))
  const ask = (path: string, shown?: string) =>
    new Promise<{ code: number; body: string }>((resolve, reject) => {
      const headers = shown ? { Authorization: `Bearer ${shown}` } : {}
      get(`https://${address}:${port}${path}`, { ca: authority, headers, agent: false }, async answer => {
        let body = ''
        for await (const chunk of answer.setEncoding('utf8')) body += chunk
        resolve({ code: answer.statusCode!, body })
      }).once('error', reject)
    })
  assert.equal((await ask('/metrics')).code, 401)
  assert.deepEqual(await ask('/pods', token), {
    code: 403,
    body: 'Forbidden (user=system:serviceaccount:default:monitor, verb=get, resource=nodes, subresource(s)=[pods proxy])\n',
  })
  await cluster.kubectl('create clusterrole monitor --verb=get --resource=nodes/metrics,nodes/stats')
  await cluster.kubectl(
    'create clusterrolebinding monitor --clusterrole=monitor --serviceaccount=default:monitor',
  )
  assert.match((await ask('/metrics/resource', token)).body, /^pod_cpu_usage_seconds_total\{.*pod="busy"/m)
  assert.match(
    (await ask('/metrics/cadvisor', token)).body,
    /^container_memory_working_set_bytes\{.*pod="busy"/m,
  )
  assert.equal(JSON.parse((await ask('/stats/summary', token)).body).node.nodeName, node)
  assert.equal((await ask('/configz', token)).code, 403)
})
