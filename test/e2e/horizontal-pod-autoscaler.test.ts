// Autoscaling of real pods: by the CPU that they use, and by a metric that somebody else serves.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { after, before, describe, test } from 'node:test'
import type { Deployment } from '../../src/api/types/apps-v1.ts'
import type { HorizontalPodAutoscaler } from '../../src/api/types/autoscaling-v2.ts'
import { selfSigned } from '../../src/base/x509/self-signed.fixture.ts'
import { eventually, TestCluster } from './test-cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up(
    '--horizontal-pod-autoscaler-sync-period',
    '1s',
    '--horizontal-pod-autoscaler-downscale-stabilization',
    '2s',
  )
})

after(async () => {
  await cluster?.[Symbol.asyncDispose]()
})

const deployment = (name: string, script: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: busybox:1.30
        command: [sh, -c, ${JSON.stringify(script)}]
        resources: {requests: {cpu: 50m}, limits: {cpu: 100m}}
`
const apply = (input: string) => cluster.kubectl('apply -f -', { input })
const replicas = async (name: string) =>
  (await cluster.json<Deployment>(`get deployment ${name}`)).status?.readyReplicas

describe('autoscaling', { concurrency: true }, () => {
  test('pods that are busy get company, and lose it when they are idle', async () => {
    await apply(deployment('busy', 'while [ ! -e /stop ]; do :; done; sleep 1000'))
    await cluster.kubectl('autoscale deployment busy --min=1 --max=2 --cpu=50%')
    await eventually('there are two', async () => (await replicas('busy')) === 2, 60_000)
    const busy = await cluster.json<HorizontalPodAutoscaler>('get hpa busy')
    const { averageUtilization = 0 } = busy.status.currentMetrics[0]?.resource?.current ?? {}
    assert.ok(averageUtilization > 100, `${averageUtilization}% of the request`)
    assert.match(
      await cluster.kubectl('describe hpa busy'),
      /SuccessfulRescale.*New size: 2; reason: cpu resource utilization \(percentage of request\) above target/,
    )
    assert.match(
      await cluster.kubectl('get hpa busy --no-headers', { version: '1.20' }),
      /Deployment\/busy +cpu: \d+%\/50% +1 +2/,
    )
    const pods = await cluster.kubectl('get pods -l app=busy -o name')
    for (const pod of pods.trim().split('\n')) await cluster.kubectl(`exec ${pod} -- touch /stop`)
    await eventually('there is one', async () => (await replicas('busy')) === 1, 60_000)
    assert.match(await cluster.kubectl('describe hpa busy'), /New size: 1; reason: All metrics below target/)
  })

  test('a metric of another server decides as well', async () => {
    await using queue = await metricServer()
    const { address, port } = queue
    await apply(`
apiVersion: v1
kind: Service
metadata: {name: adapter}
spec: {ports: [{port: 443, targetPort: ${port}}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: adapter}
subsets: [{addresses: [{ip: ${address}}], ports: [{port: ${port}}]}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.external.metrics.k8s.io}
spec:
  group: external.metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: adapter, namespace: default}
`)
    await cluster.kubectl(
      'wait --for=condition=Available apiservice/v1beta1.external.metrics.k8s.io --timeout=20s',
    )
    await apply(`${deployment('worker', 'sleep 1000')}---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: worker}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: worker}
  maxReplicas: 5
  metrics:
  - type: External
    external:
      metric: {name: messages, selector: {matchLabels: {queue: mail}}}
      target: {type: AverageValue, averageValue: "10"}
`)
    await eventually('there are three', async () => (await replicas('worker')) === 3)
    const { status } = await cluster.json<HorizontalPodAutoscaler>('get hpa worker')
    assert.equal(status.currentMetrics[0]?.external?.metric.name, 'messages')
    assert.ok(
      queue.asked.includes(
        '/apis/external.metrics.k8s.io/v1beta1/namespaces/default/messages?labelSelector=queue%3Dmail',
      ),
    )
  })
})

/** Serves 30 messages, on an address of this machine that is not its loopback. */
async function metricServer() {
  const identity = selfSigned('adapter', { dnsNames: ['adapter.default.svc'] })
  const asked: string[] = []
  const server = createServer(identity, (request, response) => {
    asked.push(request.url ?? '')
    response.setHeader('content-type', 'application/json')
    const groupVersion = 'external.metrics.k8s.io/v1beta1'
    const item = {
      metricName: 'messages',
      metricLabels: { queue: 'mail' },
      timestamp: new Date(),
      value: '30',
    }
    const verbs = ['get']
    const resource = {
      name: 'messages',
      singularName: '',
      namespaced: true,
      kind: 'ExternalMetricValueList',
      verbs,
    }
    response.end(
      JSON.stringify(
        request.url?.includes('/namespaces/')
          ? { kind: 'ExternalMetricValueList', apiVersion: groupVersion, metadata: {}, items: [item] }
          : { kind: 'APIResourceList', groupVersion, resources: [resource] },
      ),
    )
  })
  server.listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const [own] = Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .filter(one => one.family === 'IPv4' && !one.internal)
  return { asked, port, address: own!.address, [Symbol.asyncDispose]: async () => void server.close() }
}
