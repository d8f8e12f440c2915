// The scheduler as users see it: where pods go, what is said of those that go nowhere, and who makes room for whom.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Node, Pod, PodSpec } from '../../src/api/types/core-v1.ts'
import { eventually, TestCluster } from './test-cluster.ts'

const RESOURCE = 'scheduling.example.com/foo'
let cluster: TestCluster
let node: string

before(async () => {
  cluster = await TestCluster.up()
  node = (await cluster.json<{ items: Node[] }>('get nodes')).items[0]!.metadata.name
  const amounts = { [RESOURCE]: '5' }
  const status = JSON.stringify({ status: { capacity: amounts, allocatable: amounts } })
  await cluster.kubectl(['patch', 'node', node, '--subresource=status', '--type=merge', '-p', status])
  for (const [name, value] of Object.entries({ low: 1, middle: 100, high: 1000 }))
    await cluster.kubectl(`create priorityclass ${name} --value=${value}`)
  await cluster.kubectl('create priorityclass polite --value=1000 --preemption-policy=Never')
})
after(async () => cluster?.[Symbol.asyncDispose]())

const SLEEP = { name: 'c', image: 'busybox:1.36', command: ['sleep', '600'] }

const apply = (object: object) => cluster.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) })

const createPod = (name: string, spec: object, namespace = 'default') =>
  apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { terminationGracePeriodSeconds: 1, containers: [SLEEP], ...spec },
  })

const asking = (foo: number, more: Partial<PodSpec> = {}) => ({
  containers: [{ ...SLEEP, resources: { limits: { [RESOURCE]: String(foo) } } }],
  ...more,
})

const find = async (name: string, namespace = 'default') =>
  await cluster.json<Pod>(`get pod ${name} -n ${namespace}`)

const runs = (name: string, namespace?: string) =>
  eventually(`${name} runs`, async () => (await find(name, namespace)).status.phase === 'Running', 10_000)

/** The text of PodScheduled, which is the text of the event too. */
const waits = async (name: string): Promise<string> =>
  await eventually(
    `${name} waits`,
    async () => (await find(name)).status.conditions?.find(({ type }) => type === 'PodScheduled')?.message,
  )

const NO_HELP =
  'no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.'
const NOBODY =
  'no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'

test('selectors, affinity and taints are kept to, and a change of the node is enough', async () => {
  const terms = [{ matchExpressions: [{ key: 'disk', operator: 'In', values: ['ssd'] }] }]
  await Promise.all([
    createPod('selects', { nodeSelector: { disk: 'ssd' } }),
    createPod('affine', {
      affinity: {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
      },
    }),
  ])
  const words = `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. ${NO_HELP}`
  assert.deepEqual(await Promise.all(['selects', 'affine'].map(waits)), [words, words])
  assert.match(
    await cluster.kubectl('describe pod selects'),
    /Warning\s+FailedScheduling .*default-scheduler/,
  )
  await cluster.kubectl(`label node ${node} disk=ssd`)
  await Promise.all(['selects', 'affine'].map(name => runs(name)))
  await cluster.kubectl(`taint node ${node} dedicated=db:NoSchedule`)
  await createPod('intolerant', {})
  await createPod('tolerant', { tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'db' }] })
  await runs('tolerant')
  assert.equal(
    await waits('intolerant'),
    `0/1 nodes are available: 1 node(s) had untolerated taint(s). ${NO_HELP}`,
  )
  await cluster.kubectl(`taint node ${node} dedicated-`)
  await runs('intolerant')
  await cluster.kubectl('delete pod selects affine tolerant intolerant --wait=false')
})

test('a host port is taken once for each address and protocol', async () => {
  const ports = (hostIP: string | undefined, protocol: string) => ({
    containers: [{ ...SLEEP, ports: [{ containerPort: 80, hostPort: 54321, protocol, hostIP }] }],
  })
  await createPod('tcp', ports('127.0.0.1', 'TCP'))
  await createPod('udp', ports('127.0.0.1', 'UDP'))
  await createPod('other', ports('127.0.0.2', 'TCP'))
  await Promise.all(['tcp', 'udp', 'other'].map(name => runs(name)))
  await createPod('every', ports(undefined, 'TCP'))
  assert.equal(
    await waits('every'),
    `0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. ${NOBODY}`,
  )
  await cluster.kubectl('delete pod tcp udp other every --wait=false')
})

test('a pod with gates waits until the last one is gone, and may be narrowed down until then', async () => {
  await createPod('gated', { schedulingGates: [{ name: 'example.com/a' }, { name: 'example.com/b' }] })
  assert.match(await cluster.kubectl('get pod gated'), /SchedulingGated/)
  const patch = (...operations: object[]) =>
    cluster.kubectl(['patch', 'pod', 'gated', '--type=json', '-p', JSON.stringify(operations)])
  await patch({ op: 'add', path: '/spec/nodeSelector', value: { disk: 'ssd' } })
  await patch({ op: 'remove', path: '/spec/schedulingGates/0' })
  assert.match(await cluster.kubectl('get pod gated'), /SchedulingGated/)
  await patch({ op: 'remove', path: '/spec/schedulingGates' })
  await runs('gated')
  await cluster.kubectl('delete pod gated --wait=false')
})

test('the least important pods make room for an important one, also one of another namespace', async () => {
  await createPod('low', asking(2, { priorityClassName: 'low' }))
  await createPod('middle', asking(3, { priorityClassName: 'middle' }))
  await Promise.all([runs('low'), runs('middle')])
  await createPod('polite', asking(1, { priorityClassName: 'polite' }))
  assert.equal(
    await waits('polite'),
    `0/1 nodes are available: 1 Insufficient ${RESOURCE}. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.`,
  )
  await cluster.kubectl('delete pod polite --wait=false')
  const follow = cluster.follow(
    'get pod low -w -o jsonpath={.status.conditions[?(@.type=="DisruptionTarget")]}{"\\n"}',
  )
  await createPod('high', asking(2, { priorityClassName: 'high' }))
  await runs('high')
  follow.stop()
  assert.match(
    follow.lines.join('\n'),
    /"message":"default-scheduler: preempting to accommodate a higher priority pod".*"reason":"PreemptionByScheduler","status":"True"/,
  )
  const { metadata } = await find('high')
  const events = await cluster.kubectl(
    'get events --field-selector reason=Preempted -o jsonpath={.items[*].message}',
  )
  assert.equal(events, `Preempted by pod ${metadata.uid} on node ${node}`)
  assert.equal((await find('middle')).status.phase, 'Running')
  await createPod('critical', asking(3, { priorityClassName: 'system-cluster-critical' }), 'kube-system')
  await runs('critical', 'kube-system')
  assert.equal((await cluster.tryKubectl(['get', 'pod', 'middle'])).code, 1)
  assert.equal((await find('high')).status.phase, 'Running')
  await cluster.kubectl('delete pod high --wait=false')
  await cluster.kubectl('delete pod critical -n kube-system --now')
})

test('replicas of different importance find their place among each other', async () => {
  const replicas = (name: string, count: number, priorityClassName: string) =>
    apply({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name },
      spec: {
        replicas: count,
        selector: { matchLabels: { name } },
        template: {
          metadata: { labels: { name } },
          spec: { terminationGracePeriodSeconds: 0, ...asking(1, { priorityClassName }) },
        },
      },
    })
  const ready = (name: string, count: number) =>
    eventually(`${count} of ${name}`, async () => {
      const { status } = await cluster.json<{ status: { readyReplicas?: number } }>(`get rs ${name}`)
      return (status.readyReplicas ?? 0) === count
    })
  await replicas('rs-low', 5, 'low')
  await ready('rs-low', 5)
  await replicas('rs-middle', 2, 'middle')
  await replicas('rs-high', 2, 'high')
  await Promise.all([ready('rs-low', 1), ready('rs-middle', 2), ready('rs-high', 2)])
  await cluster.kubectl('delete rs rs-high rs-middle')
  await ready('rs-low', 5)
})
