import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../api/kube-object.ts'
import { nodes, persistentVolumeClaims, persistentVolumes, pods, storageClasses } from '../api/resources.ts'
import { internalError } from '../api/status-error.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../api/types/core-v1.ts'
import type { StorageClass } from '../api/types/storage-v1.ts'
import type { AdmissionPlugin } from '../apiserver/admission/admission.ts'
import type { Plugin } from './framework.ts'
import { defaultPlugins } from './plugins/default-plugins.ts'
import { SchedulerLab } from './testing/scheduler-lab.fixture.ts'

const FULL = '0/1 nodes are available: 1 Insufficient cpu.'
const NO_VICTIMS =
  'no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.'

test('a Pod gets a node, its condition and an event', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addNode('n')
  await lab.addPod('p')
  assert.equal(await lab.nodeOf('p'), 'n')
  assert.equal(await lab.condition('p'), 'True : ')
  assert.deepEqual(await lab.world.events(), ['Normal Scheduled: Successfully assigned default/p to n'])
})

test('a Pod that fits nowhere says why, and gets its node when there is room', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addNode('n', '1')
  await lab.addPod('first')
  await lab.addPod('second')
  assert.equal(await lab.condition('second'), `False Unschedulable: ${FULL} ${NO_VICTIMS}`)
  assert.deepEqual((await lab.world.events()).slice(1), [`Warning FailedScheduling: ${FULL} ${NO_VICTIMS}`])
  await lab.remove('first')
  assert.equal(await lab.nodeOf('second'), 'n')
  assert.equal(await lab.condition('second'), 'True : ')
})

test('without nodes a Pod waits for one', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addPod('p')
  assert.equal(await lab.condition('p'), 'False Unschedulable: no nodes available to schedule pods')
  await lab.addNode('n')
  assert.equal(await lab.nodeOf('p'), 'n')
})

test('what cannot help does not cause another try', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addNode('n', '1')
  await lab.addPod('p', '2')
  const tries = async () =>
    (await lab.world.events()).filter(text => text.includes('FailedScheduling')).length
  const revision = async () => (await lab.pod('p')).metadata.resourceVersion
  const before = await revision()
  await lab.addNode('too-small', '1')
  const label = { metadata: { labels: { some: 'label' } } }
  await lab.world.client.patch(nodes, { name: 'n' }, 'application/merge-patch+json', label)
  await lab.world.advance(20_000)
  assert.equal(await revision(), before)
  assert.equal(await tries(), 1)
  await lab.addNode('big', '2')
  assert.equal(await lab.nodeOf('p'), 'big')
})

test('Pods of another scheduler are left alone, but what they take counts', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addNode('n', '1')
  await lab.addPod('foreign', '1', { schedulerName: 'other' })
  assert.equal(await lab.nodeOf('foreign'), undefined)
  await lab.addPod('direct', '1', { nodeName: 'n', schedulerName: 'other' })
  await lab.addPod('own')
  assert.match((await lab.condition('own'))!, /Insufficient cpu/)
})

test('a gated Pod is tried when its last gate is gone', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addNode('n')
  await lab.addPod('p', '1', { schedulingGates: [{ name: 'example.com/a' }] })
  assert.equal(
    await lab.condition('p'),
    'False SchedulingGated: Scheduling is blocked due to non-empty scheduling gates',
  )
  const key = { name: 'p', namespace: 'default' }
  const patch = { spec: { schedulingGates: null } }
  await lab.world.client.patch(pods, key, 'application/merge-patch+json', patch)
  await lab.world.settle()
  assert.equal(await lab.nodeOf('p'), 'n')
  assert.deepEqual(await lab.world.events(), ['Normal Scheduled: Successfully assigned default/p to n'])
})

test('a cordoned node is used again when it is open', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addNode('n', '2', { unschedulable: true })
  await lab.addPod('p')
  assert.equal(
    await lab.condition('p'),
    'False Unschedulable: 0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  )
  const patch = { spec: { unschedulable: null, taints: null } }
  await lab.world.client.patch(nodes, { name: 'n' }, 'application/merge-patch+json', patch)
  await lab.world.settle()
  assert.equal(await lab.nodeOf('p'), 'n')
})

test('an important Pod takes the place of another, which ends within its grace period', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addNode('n', '1')
  await lab.addPod('low')
  const high = await lab.addPod('high', '1', { priority: 1000 })
  const waiting = await lab.pod('high')
  assert.equal(waiting.status.nominatedNodeName, 'n')
  assert.equal(await lab.condition('high'), `False Unschedulable: ${FULL}`)
  const victim = await lab.pod('low')
  assert.ok(victim.metadata.deletionTimestamp)
  assert.equal(victim.metadata.deletionGracePeriodSeconds, 30)
  assert.equal(
    await lab.condition('low', 'DisruptionTarget'),
    'True PreemptionByScheduler: default-scheduler: preempting to accommodate a higher priority pod',
  )
  assert.ok(
    (await lab.world.events()).includes(`Normal Preempted: Preempted by pod ${high.metadata.uid} on node n`),
  )
  // Others of lower priority do not get the place.
  await lab.addPod('late')
  await lab.remove('low')
  assert.equal(await lab.nodeOf('high'), 'n')
  assert.equal((await lab.pod('high')).status.nominatedNodeName, undefined)
  assert.equal(await lab.nodeOf('late'), undefined)
})

test('what was promised to a Pod that is deleted is free again', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addNode('n', '1')
  await lab.addPod('low')
  await lab.addPod('high', '1', { priority: 1000 })
  await lab.addPod('late')
  await lab.remove('high')
  await lab.remove('low')
  assert.equal(await lab.nodeOf('late'), 'n')
})

test('a more important Pod takes over the promise of a less important one', async () => {
  await using lab = await SchedulerLab.create()
  await lab.addNode('n', '1')
  await lab.addPod('low')
  await lab.addPod('high', '1', { priority: 1000 })
  await lab.addPod('higher', '1', { priority: 2000 })
  await lab.remove('low')
  assert.equal(await lab.nodeOf('higher'), 'n')
  assert.equal(await lab.nodeOf('high'), undefined)
})

test('a scheduler that starts anew knows what is taken and what is promised', async () => {
  await using lab = await SchedulerLab.create({ running: false })
  const stop = lab.run()
  await lab.addNode('n', '1')
  await lab.addPod('low')
  await lab.addPod('high', '1', { priority: 1000 })
  await stop()
  await lab.addPod('late')
  lab.run()
  await lab.world.settle()
  await lab.remove('low')
  assert.equal(await lab.nodeOf('high'), 'n')
  assert.equal(await lab.nodeOf('late'), undefined)
})

test('a plugin that breaks on a Pod stops neither the scheduler nor the Pod for good', async () => {
  await using lab = await SchedulerLab.create({ running: false })
  let broken = true
  const fragile: Plugin = {
    name: 'Fragile',
    prepare(pod) {
      if (broken && pod.metadata.name === 'bad') throw new Error('this went wrong')
      return {}
    },
  }
  lab.run([...defaultPlugins, fragile])
  await lab.addNode('n')
  await lab.addPod('bad')
  assert.equal(await lab.condition('bad'), 'False SchedulerError: this went wrong')
  await lab.addPod('good')
  assert.equal(await lab.nodeOf('good'), 'n')
  broken = false
  await lab.world.advance(999)
  assert.equal(await lab.nodeOf('bad'), undefined)
  await lab.world.advance(1)
  assert.equal(await lab.nodeOf('bad'), 'n')
})

test('a binding that is refused for a moment is tried again', async () => {
  let isFull = true
  const diskFull: AdmissionPlugin = {
    name: 'DiskFull',
    async validate({ subresource }) {
      if (isFull && subresource === 'binding') throw internalError(new Error('the disk is full'))
    },
  }
  await using lab = await SchedulerLab.create({ running: false, admission: [diskFull] })
  lab.run()
  await lab.addNode('n', '1')
  await lab.addPod('p')
  assert.match((await lab.condition('p'))!, /^False SchedulerError: .*the disk is full/)
  isFull = false
  await lab.world.advance(1_000)
  assert.equal(await lab.nodeOf('p'), 'n')
})

test('claims that wait get their volumes before the Pod its node', async () => {
  await using lab = await SchedulerLab.create()
  const { client } = lab.world
  await lab.addNode('n')
  await client.create(storageClasses, {
    metadata: { name: 'local' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  } as Draft<StorageClass>)
  const common = { storageClassName: 'local', accessModes: ['ReadWriteOnce'] }
  await client.create(persistentVolumes, {
    metadata: { name: 'v' },
    spec: { ...common, capacity: { storage: '1Gi' }, hostPath: { path: '/v' } },
  } as Draft<PersistentVolume>)
  const type = 'application/merge-patch+json'
  const status = { subresource: 'status' }
  await client.patch(persistentVolumes, { name: 'v' }, type, { status: { phase: 'Available' } }, status)
  const claimKey = { name: 'c', namespace: 'default' }
  await client.create(persistentVolumeClaims, {
    metadata: claimKey,
    spec: { ...common, resources: { requests: { storage: '1Gi' } } },
  } as Draft<PersistentVolumeClaim>)
  await lab.addPod('p', '1', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] })
  const volume = await client.get(persistentVolumes, { name: 'v' })
  assert.equal(volume.spec.claimRef?.name, 'c')
  const waiting = await lab.pod('p')
  assert.deepEqual([waiting.spec.nodeName, waiting.status.nominatedNodeName], [undefined, 'n'])
  // What the volume controller does then.
  const annotations = { 'pv.kubernetes.io/bind-completed': 'yes' }
  await client.patch(persistentVolumeClaims, claimKey, type, {
    metadata: { annotations },
    spec: { volumeName: 'v' },
  })
  await lab.world.settle()
  assert.equal(await lab.nodeOf('p'), 'n')
})
