import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { FakeRuntime } from '../../runtime/fake/fake-runtime.ts'
import { bytesToFree, type ImagePolicy } from './choose-images.ts'
import { defaultImagePolicy, ImageCollector } from './image-collector.ts'

const MINUTE = 60_000
const policy: ImagePolicy = { highPercent: 85, lowPercent: 80, minimumAgeMs: 2 * MINUTE, maximumAgeMs: 0 }

const needs: [string, number, number][] = [
  ['below the high threshold nothing goes', 16, 0],
  ['at the high threshold the use comes down to the low one', 15, 5],
  ['a full disk too', 0, 20],
]
for (const [title, available, wanted] of needs) {
  test(title, () => assert.equal(bytesToFree({ available, capacity: 100 }, policy), wanted))
}

test('by default the disk is left to its owner', () =>
  assert.equal(bytesToFree({ available: 1, capacity: 100 }, defaultImagePolicy), 0))

async function make(more: Partial<ImagePolicy> = {}) {
  const clock = new ManualClock(1_000_000)
  const images = ['old:1', 'used:1', 'idle:1'].map(name => ({ name, size: 10 }))
  const runtime = new FakeRuntime({ clock, images })
  const disk = { available: 50, capacity: 100 }
  const warnings: string[] = []
  const collector = new ImageCollector({
    runtime: runtime.service,
    policy: { ...policy, ...more },
    disk: () => disk,
    warn: (reason, message) => warnings.push(`${reason}: ${message}`),
    clock,
    log: silentLog,
  })
  const metadata = { name: 'p', uid: 'u', namespace: 'n', attempt: 0 }
  const { podSandboxId } = await runtime.service.runPodSandbox({
    config: { metadata } as never,
    runtimeHandler: '',
  })
  const start = async (image: string) => {
    const config = { metadata: { name: image, attempt: 0 }, image: { image } } as never
    return runtime.service.createContainer({ podSandboxId, config, sandboxConfig: {} as never })
  }
  const left = async () =>
    (await runtime.images.listImages({})).images.map(({ repoTags }) => repoTags[0]).sort()
  return { clock, runtime, collector, disk, warnings, start, left }
}

test('when the disk is full, the longest unused image goes first, and no more than needed', async () => {
  const { clock, runtime, collector, disk, start, left, warnings } = await make()
  await start('used:1')
  const { containerId } = await start('idle:1')
  await collector.collect()
  await runtime.service.removeContainer({ containerId })
  await clock.advance(3 * MINUTE)
  disk.available = 12
  await collector.collect()
  assert.deepEqual(await left(), ['idle:1', 'used:1'])
  assert.deepEqual(warnings, [])
})

test('an image that is new, or used, stays; what is missing is told', async () => {
  const { clock, collector, disk, start, left, warnings } = await make()
  for (const image of ['old:1', 'used:1']) await start(image)
  disk.available = 0
  await assert.rejects(collector.collect(), /Attempted to free 20 bytes, but only found 0 bytes/)
  await clock.advance(3 * MINUTE)
  await assert.rejects(collector.collect(), /Attempted to free 20 bytes, but only found 10 bytes/)
  assert.deepEqual(await left(), ['old:1', 'used:1'])
  assert.match(warnings[1]!, /^FreeDiskSpaceFailed: Failed to garbage collect required amount of images\. /)
})

test('an image unused for longer than it may be goes although there is room', async () => {
  const { clock, collector, start, left } = await make({ maximumAgeMs: 60 * MINUTE })
  await start('used:1')
  await collector.collect()
  await clock.advance(61 * MINUTE)
  await collector.collect()
  assert.deepEqual(await left(), ['used:1'])
})

test('a failure is told as an event when it comes twice in a row', async () => {
  const { clock, collector, disk, start, warnings } = await make()
  for (const image of ['old:1', 'used:1', 'idle:1']) await start(image)
  disk.available = 0
  const stop = new AbortController()
  const running = collector.run(stop.signal)
  const told = () => warnings.filter(text => text.startsWith('ImageGCFailed')).length
  await clock.advance(1)
  assert.equal(told(), 0)
  await clock.advance(5 * MINUTE)
  assert.equal(told(), 1)
  stop.abort()
  await running
})

test('under pressure all that may go does, whatever the thresholds say', async () => {
  const { clock, collector, start, left } = await make({ highPercent: 100 })
  await start('used:1')
  await collector.collect()
  await clock.advance(3 * MINUTE)
  await collector.removeUnused()
  assert.deepEqual(await left(), ['used:1'])
})
