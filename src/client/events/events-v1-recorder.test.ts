import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventsV1 } from '../../api/resources.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { Client } from '../client.ts'
import { MapHandler } from '../map-handler.fixture.ts'
import { EventsV1Recorder } from './events-v1-recorder.ts'
import { referenceTo } from './subject.ts'

const metadata = { name: 'web', namespace: 'a', uid: 'u', resourceVersion: '5', creationTimestamp: '' }
const pod = { apiVersion: 'v1', kind: 'Pod', metadata }
const MINUTE = 60_000

async function withRecorder(
  body: (fixture: {
    server: MapHandler
    client: Client
    clock: ManualClock
    record: (note?: string) => Promise<void>
    series: () => Promise<(number | undefined)[]>
  }) => Promise<void>,
): Promise<void> {
  const server = new MapHandler()
  const client = new Client(server.handle, { name: 'test', groups: [] })
  const clock = new ManualClock(1_700_000_000_123)
  const options = { client, reportingController: 'default-scheduler', hostname: 'n1', clock, log: silentLog }
  const recorder = new EventsV1Recorder(options)
  const abort = new AbortController()
  const running = recorder.run(abort.signal)
  const record = async (note = 'note') => {
    recorder.event(pod, undefined, 'Warning', 'FailedScheduling', 'Scheduling', note)
    await settle()
  }
  const series = async () => (await client.list(eventsV1)).items.map(item => item.series?.count)
  await body({ server, client, clock, record, series })
  abort.abort()
  await running
}

test('the first event is created with controller, instance, action and time in microseconds', () =>
  withRecorder(async ({ client, record }) => {
    await record('0/1 nodes are available')
    const [event] = (await client.list(eventsV1, { namespace: 'a' })).items
    assert.deepEqual(event!.regarding, referenceTo(pod))
    assert.deepEqual(
      [
        event!.reportingController,
        event!.reportingInstance,
        event!.action,
        event!.reason,
        event!.type,
        event!.note,
      ],
      [
        'default-scheduler',
        'default-scheduler-n1',
        'Scheduling',
        'FailedScheduling',
        'Warning',
        '0/1 nodes are available',
      ],
    )
    assert.equal(event!.eventTime, '2023-11-14T22:13:20.123000Z')
    assert.equal(event!.series, undefined)
  }))

test('the second begins a series, further ones are written when the series is over', () =>
  withRecorder(async ({ server, clock, record, series }) => {
    await record()
    await record('another note is the same event')
    assert.deepEqual(await series(), [2])
    for (let i = 0; i < 3; i++) await record()
    assert.deepEqual(await series(), [2])
    await clock.advance(12 * MINUTE)
    assert.deepEqual(await series(), [5])
    const patch = server.requests.findLast(({ verb }) => verb === 'patch')?.patch
    assert.equal(patch?.type, 'application/strategic-merge-patch+json')
    assert.deepEqual(patch?.document, {
      series: { count: 5, lastObservedTime: '2023-11-14T22:13:20.123000Z' },
    })
    await record()
    assert.deepEqual(await series(), [5, undefined])
  }))

test('a series that goes on is written every half hour', () =>
  withRecorder(async ({ clock, record, series }) => {
    for (let minute = 0; minute < 30; minute++) {
      await record()
      await clock.advance(MINUTE)
    }
    assert.deepEqual(await series(), [30])
  }))

test('a single event is forgotten after six quiet minutes: the next one is new', () =>
  withRecorder(async ({ clock, record, series }) => {
    await record()
    await clock.advance(13 * MINUTE)
    await record()
    assert.deepEqual(await series(), [undefined, undefined])
  }))

test('a series whose event the server has forgotten is created with its count', () =>
  withRecorder(async ({ client, record, series }) => {
    await record()
    await client.deleteCollection(eventsV1, { namespace: 'a' })
    await record()
    assert.deepEqual(await series(), [2])
  }))
