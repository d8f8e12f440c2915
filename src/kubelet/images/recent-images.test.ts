import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../base/manual-clock.ts'
import type { Image } from '../../runtime/cri/cri.generated.ts'
import { RecentImages } from './recent-images.ts'

const image = { id: 'sha256:1' } as Image

test('an image is known to the pod that saw it, for a second', async () => {
  const clock = new ManualClock(1_000_000)
  const recent = new RecentImages(clock)
  recent.seen('pod-a', 'busybox:latest', image)
  assert.equal(recent.find('pod-a', 'busybox:latest'), image)
  assert.equal(recent.find('pod-b', 'busybox:latest'), undefined, 'another pod asks for itself')
  assert.equal(recent.find('pod-a', 'busybox:1.36'), undefined)
  await clock.advance(1_000)
  assert.equal(recent.find('pod-a', 'busybox:latest'), undefined)
})

test('of a pod that is gone nothing is kept', () => {
  const recent = new RecentImages(new ManualClock(1_000_000))
  recent.seen('pod-a', 'busybox:latest', image)
  recent.forget('pod-a')
  assert.equal(recent.find('pod-a', 'busybox:latest'), undefined)
})
