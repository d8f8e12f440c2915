import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../api/kube-object.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { MemoryStorage } from '../../storage/memory/memory-storage.ts'
import { StoredSizes } from './stored-sizes.ts'

const object = (name: string, text: string) =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text } }) as unknown as KubeObject

test('sizes are sampled when asked for, and again after a minute', async () => {
  const storage = new MemoryStorage()
  const clock = new ManualClock(0)
  const sizes = new StoredSizes(storage, clock)
  assert.equal(sizes.of('', 'configmaps'), undefined)
  for (let at = 0; at < 3; at++)
    await storage.create(`/registry/configmaps/a/${at}`, object(`${at}`, 'x'.repeat(1000)))
  assert.equal(sizes.of('', 'configmaps'), undefined)
  await settle()
  const first = sizes.of('', 'configmaps')
  assert.equal(first?.count, 3)
  assert.ok(first.averageBytes > 1000 && first.averageBytes < 1200)
  await storage.create('/registry/configmaps/a/0-large', object('0-large', 'x'.repeat(5000)))
  await clock.advance(60_000)
  assert.deepEqual(sizes.of('', 'configmaps'), { ...first, count: 4 })
  await settle()
  assert.ok(sizes.of('', 'configmaps')!.averageBytes > 2000)
})

test('a resource cannot be made up out of a path', async () => {
  const storage = new MemoryStorage()
  await storage.create('/registry/configmaps/a/b', object('b', 'x'))
  const sizes = new StoredSizes(storage, new ManualClock(0))
  sizes.of('', 'configmaps/a')
  await settle()
  assert.equal(sizes.of('', 'configmaps/a'), undefined)
})
