// Kubernode over another container runtime: Debian's containerd, with a bridge network of CNI plugins.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Pod } from '../../src/api/types/core-v1.ts'
import {
  CONTAINERD_NEEDS as skip,
  TestContainerd,
} from '../../src/runtime/containerd/testing/containerd-world.fixture.ts'
import { eventually, pageAt, TestCluster } from './test-cluster.ts'

let cluster: TestCluster
let containerd: TestContainerd

before(async () => {
  if (skip) return
  containerd = new TestContainerd()
  await containerd.start()
  containerd.loadImages()
  cluster = await TestCluster.up('--runtime', `unix://${containerd.socket}`)
})
after(async () => {
  await cluster?.[Symbol.asyncDispose]()
  await containerd?.close()
})

const POD = `
apiVersion: v1
kind: Pod
metadata: {name: on-containerd}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
  - name: writes
    image: busybox:1.36
    command: [sh, -c, "echo hello from the init container > /work/index.html"]
    volumeMounts: [{name: work, mountPath: /work}]
  containers:
  - name: serves
    image: busybox:1.36
    command: [sh, -c, "trap 'exit 0' TERM; httpd -f -p 8080 -h /work & wait"]
    securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    readinessProbe: {httpGet: {path: /index.html, port: 8080}, periodSeconds: 1}
    resources: {limits: {cpu: 100m, memory: 32Mi}}
    volumeMounts: [{name: work, mountPath: /work}]
  volumes:
  - name: work
    emptyDir: {}
`

test('a pod runs from its init container to Ready, reachable at its address', { skip }, async () => {
  await cluster.kubectl(['apply', '-f', '-'], { input: POD })
  await cluster.kubectl('wait --for=condition=Ready pod/on-containerd --timeout=30s')
  const pod = await cluster.json<Pod>('get pod on-containerd')
  assert.match(pod.status.containerStatuses![0]!.containerID!, /^containerd:\/\/[0-9a-f]{64}$/)
  const page = await pageAt(`http://${pod.status.podIP}:8080/`)
  assert.equal(page, 'hello from the init container\n')
  const node = await cluster.kubectl('get nodes -o wide')
  assert.match(node, /containerd:\/\/\d+\.\d+/)
})

test('its logs, its commands and its figures can be had', { skip }, async () => {
  assert.match(await cluster.kubectl('exec on-containerd -- id'), /uid=1000/)
  assert.equal((await cluster.kubectl('logs on-containerd -c writes')).trim(), '')
  const rows = await eventually('figures', () => cluster.kubectl('top pod'))
  assert.match(rows, /on-containerd +\d+m +\d+Mi/)
})

test('an end is seen soon, and the container runs again', { skip }, async () => {
  await cluster.kubectl('exec on-containerd -- kill 1').catch(() => {})
  await eventually('a restart', async () => {
    const pod = await cluster.json<Pod>('get pod on-containerd')
    return pod.status.containerStatuses![0]!.restartCount === 1
  })
})

test('deletion takes the pod and its sandbox away', { skip }, async () => {
  await cluster.kubectl('delete pod on-containerd')
  await eventually('nothing is left', () => containerd.containers().length === 0)
})
