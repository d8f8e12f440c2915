// Pressure on a real node: a cluster whose data directory is a small disk of its own, and one that is always short of
// memory. What is ended, in which order and with which words; who is refused meanwhile; that it passes.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Event, Node, Pod } from '../../src/api/types/core-v1.ts'
import { SmallDisk } from './small-disk.ts'
import { eventually, TestCluster } from './test-cluster.ts'

const dir = mkdtempSync(join(tmpdir(), 'kubernode-eviction-'))
let disk: SmallDisk
let small: TestCluster
let short: TestCluster

const configuration = (name: string, fields: string) => {
  const file = join(dir, `${name}.yaml`)
  writeFileSync(
    file,
    `apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nevictionPressureTransitionPeriod: 5s\nimageMinimumGCAge: 0s\n${fields}`,
  )
  return ['--kubelet-config', file]
}

before(async () => {
  small = new TestCluster(
    ...configuration(
      'disk',
      'evictionHard: {nodefs.available: 60Mi}\nevictionMinimumReclaim: {nodefs.available: 10Mi}\n',
    ),
  )
  disk = new SmallDisk(small.dataDir, 240)
  // The machine is shared with others: what is available varies, but never so much.
  short = new TestCluster(
    ...configuration(
      'memory',
      'evictionHard: {}\nevictionSoft: {memory.available: 99%}\nevictionSoftGracePeriod: {memory.available: 3s}\nevictionMaxPodGracePeriod: 2\n',
    ),
  )
  await Promise.all([small.start(), short.start()])
})
after(async () => {
  await Promise.all([small?.stop(), short?.stop()])
  disk?.[Symbol.dispose]()
  for (const path of [dir, small.dataDir, short.dataDir]) rmSync(path, { recursive: true, force: true })
})

const pod = (name: string, script: string, container = '', more = '') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: app, image: "busybox:1.36", command: [sh, -c, "${script}; trap 'exit 0' TERM; sleep 1000 & wait"]${container}}
${more}
---`

const fill = (megabytes: number, path = '/fill') =>
  `dd if=/dev/zero of=${path} bs=1M count=${megabytes} 2>/dev/null`
const asks = (requests: string) => `, resources: {requests: {${requests}}}`
const limited = (storage: string) => `, resources: {limits: {ephemeral-storage: ${storage}}}`

const get = (cluster: TestCluster, name: string) => cluster.json<Pod>(`get pod ${name}`)
const apply = (cluster: TestCluster, input: string) => cluster.kubectl(['apply', '-f', '-'], { input })
const events = async (cluster: TestCluster, reason: string) =>
  (await cluster.json<{ items: Event[] }>('get events')).items.filter(event => event.reason === reason)
const evicted = (cluster: TestCluster, name: string) =>
  eventually(`${name} is evicted`, async () => {
    const found = await get(cluster, name)
    return found.status.phase === 'Failed' && found
  })
const condition = ({ status }: Pod | Node, wanted: string) =>
  (status.conditions as { type: string; status: string; reason?: string }[]).find(
    ({ type }) => type === wanted,
  )

const HIGH = `
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 1000
---`

describe('pressure', { concurrency: true }, () => {
  test('a full disk costs what nobody needs, then pods in their order, and is told, until it passes', async () => {
    const before = disk.freeBytes
    await apply(
      small,
      HIGH +
        pod('finished', fill(1), '', '  restartPolicy: Never').replace('trap', 'exit; trap') +
        pod('modest', fill(30), asks('ephemeral-storage: 50Mi')) +
        pod('important', fill(40), '', '  priorityClassName: high') +
        pod('greedy', fill(5)) +
        pod('beyond', fill(6), limited('5Mi')) +
        pod(
          'beyond-volume',
          fill(4, '/v/fill'),
          ', volumeMounts: [{name: v, mountPath: /v}]',
          '  volumes: [{name: v, emptyDir: {sizeLimit: 3Mi}}]',
        ),
    )
    await small.kubectl('wait --for=condition=Ready pod/modest pod/important pod/greedy --timeout=20s')
    await eventually('the files are written', () => before - disk.freeBytes > 80 * 2 ** 20)
    // So little that removing images is not enough.
    const count = Math.floor((disk.freeBytes - 25 * 2 ** 20) / 2 ** 20)
    await small.kubectl(['exec', 'greedy', '--', 'sh', '-c', fill(count, '/more')])
    assert.ok(disk.freeBytes < 60 * 2 ** 20)

    const node = await eventually('the node shows it', async () => {
      const [found] = (await small.json<{ items: Node[] }>('get nodes')).items
      const isTainted = found!.spec.taints?.some(({ key }) => key === 'node.kubernetes.io/disk-pressure')
      return condition(found!, 'DiskPressure')?.status === 'True' && isTainted && found
    })
    assert.equal(condition(node, 'DiskPressure')?.reason, 'KubeletHasDiskPressure')
    await apply(small, pod('late', 'true', '', `  nodeName: ${node.metadata.name}`))
    const late = await evicted(small, 'late')
    assert.deepEqual(
      [late.status.reason, late.status.message],
      ['Evicted', 'Pod was rejected: The node had condition: [DiskPressure]. '],
    )

    const greedy = await evicted(small, 'greedy')
    assert.equal(greedy.status.reason, 'Evicted')
    assert.match(
      greedy.status.message!,
      /^The node was low on resource: ephemeral-storage\. Threshold quantity: 60Mi, available: \d+Ki\. Container app was using \d+(Ki|Mi), request is 0, has larger consumption of ephemeral-storage\. $/,
    )
    assert.equal(condition(greedy, 'DisruptionTarget')?.reason, 'TerminationByKubelet')
    const ended = await eventually('it is an event', async () =>
      (await events(small, 'Evicted')).find(({ involvedObject }) => involvedObject.name === 'greedy'),
    )
    assert.equal(ended.message, greedy.status.message)
    assert.equal(ended.metadata.annotations?.starved_resource, 'ephemeral-storage')
    assert.equal(ended.metadata.annotations?.offending_containers, 'app')
    const [met] = await events(small, 'EvictionThresholdMet')
    assert.equal(met!.message, 'Attempting to reclaim ephemeral-storage')
    const own = await Promise.all(['beyond', 'beyond-volume'].map(name => evicted(small, name)))
    assert.deepEqual(
      own.map(one => [one.status.reason, one.status.message, condition(one, 'DisruptionTarget')]),
      [
        [
          'Evicted',
          'Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. ',
          undefined,
        ],
        ['Evicted', 'Usage of EmptyDir volume "v" exceeds the limit "3Mi". ', undefined],
      ],
    )

    await eventually('it passes', async () => {
      const [found] = (await small.json<{ items: Node[] }>('get nodes')).items
      return condition(found!, 'DiskPressure')?.status === 'False' && !found!.spec.taints
    })
    assert.ok(disk.freeBytes > 70 * 2 ** 20)
    for (const name of ['modest', 'important'])
      assert.equal((await get(small, name)).status.phase, 'Running', name)
    const [left] = (await small.json<{ items: Node[] }>('get nodes')).items
    const names = left!.status.images!.flatMap(image => image.names ?? [])
    assert.ok(names.some(name => name.includes('busybox')) && !names.some(name => name.includes('nginx')))
    const { stderr } = await small.tryKubectl(['logs', 'finished'])
    assert.match(stderr, /unable to retrieve container logs for kubernode:\/\/[0-9a-f]{64}/)
  })

  test('short of memory the node refuses pods that ask for none, and ends those beyond what they asked for', async () => {
    const [node] = (await short.json<{ items: Node[] }>('get nodes')).items
    await eventually('the node shows it', async () => {
      const [found] = (await short.json<{ items: Node[] }>('get nodes')).items
      return condition(found!, 'MemoryPressure')?.status === 'True'
    })
    const on = `  nodeName: ${node!.metadata.name}`
    await apply(
      short,
      pod('none', 'true', '', on) +
        pod('within', 'true', asks('memory: 200Mi'), on) +
        pod('greedy', 'true', asks('memory: 64Ki'), on),
    )
    assert.equal(
      (await evicted(short, 'none')).status.message,
      'Pod was rejected: The node had condition: [MemoryPressure]. ',
    )
    const { status } = await evicted(short, 'greedy')
    assert.equal(status.reason, 'Evicted')
    assert.match(
      status.message!,
      /^The node was low on resource: memory\. Threshold quantity: \d+(Ki)?, available: \d+Ki\. Container app was using \d+Ki, request is 64Ki, has larger consumption of memory\. $/,
    )
    // Within its grace it heard the signal.
    assert.equal(status.containerStatuses?.[0]?.state.terminated?.exitCode, 0)
  })
})
