// kubectl top, and what monitoring reads of a node.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
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
