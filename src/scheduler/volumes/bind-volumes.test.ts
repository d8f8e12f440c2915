import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiHandler } from '../../api/request.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import type { StorageClass } from '../../api/types/storage-v1.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { Client } from '../../client/client.ts'
import { bindVolumes } from './bind-volumes.ts'
import { SELECTED_NODE } from './plan-volumes.ts'
import { noVolumes, type VolumeObjects } from './volume-objects.ts'

const pod = {
  metadata: { name: 'p', namespace: 'default' },
  spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
} as unknown as Pod
const claim = (resourceVersion: string, annotations: Record<string, string>) =>
  ({
    metadata: { name: 'c', namespace: 'default', resourceVersion, annotations },
    spec: { storageClassName: 'slow' },
    status: {},
  }) as unknown as PersistentVolumeClaim

test('a provisioner that takes the node back ends the wait', async () => {
  const handle: ApiHandler = async ({ body }) => ({ kind: 'object', code: 200, object: body as never })
  let shown = claim('5', {})
  let changed = Promise.withResolvers<void>()
  const volumes: VolumeObjects = {
    ...noVolumes,
    claim: () => shown,
    storageClass: () => ({ volumeBindingMode: 'WaitForFirstConsumer' }) as StorageClass,
  }
  const parts = {
    client: new Client(handle, { name: 'tester', groups: [] }),
    clock: new ManualClock(),
    volumes,
    change: () => changed.promise,
  }
  const binding = bindVolumes(pod, { volumes: [], claims: [claim('5', { [SELECTED_NODE]: 'n' })] }, parts)
  const show = (next: PersistentVolumeClaim) => {
    shown = next
    const before = changed
    changed = Promise.withResolvers()
    before.resolve()
  }
  await new Promise(resolve => setImmediate(resolve))
  show(claim('6', { [SELECTED_NODE]: 'n' }))
  await new Promise(resolve => setImmediate(resolve))
  show(claim('7', {}))
  await assert.rejects(binding, /^Error: binding volumes: provisioning failed for PVC "c"$/)
})
