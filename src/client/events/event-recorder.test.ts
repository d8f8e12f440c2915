import assert from 'node:assert/strict'
import { test } from 'node:test'
import { events } from '../../api/resources.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { Client } from '../client.ts'
import { MapHandler, serverError } from '../map-handler.fixture.ts'
import { EventRecorder } from './event-recorder.ts'
import { referenceTo } from './subject.ts'

const metadata = { name: 'web', namespace: 'a', uid: 'u', resourceVersion: '5', creationTimestamp: '' }
const pod = { apiVersion: 'v1', kind: 'Pod', metadata }
const node = { apiVersion: 'v1', kind: 'Node', metadata: { ...metadata, name: 'n1', namespace: '' } }

function make() {
  const server = new MapHandler()
  const client = new Client(server.handle, { name: 'test', groups: [] })
  const clock = new ManualClock(1_700_000_000_000)
  const recorder = new EventRecorder({
    client,
    component: 'kubelet',
    host: 'n1',
    clock,
    log: silentLog,
    random: () => 0.5,
  })
  const stored = async () =>
    (await client.list(events)).items.map(({ message, count }) => `${message} ${count}`)
  return { server, client, clock, recorder, stored }
}

test('an event is written with all that kubectl and controllers look at', async () => {
  const { client, recorder } = make()
  recorder.event(referenceTo(pod, 'spec.containers{web}'), 'Normal', 'Started', 'Container started', {
    a: 'b',
  })
  await settle()
  const [event] = (await client.list(events, { namespace: 'a' })).items
  assert.match(event!.metadata.name, /^web\.17979cfe36[23][0-9a-f]{5}$/)
  assert.deepEqual(event!.metadata.annotations, { a: 'b' })
  assert.deepEqual(event!.involvedObject, referenceTo(pod, 'spec.containers{web}'))
  assert.deepEqual(
    [event!.type, event!.reason, event!.message, event!.count],
    ['Normal', 'Started', 'Container started', 1],
  )
  assert.deepEqual(event!.source, { component: 'kubelet', host: 'n1' })
  assert.deepEqual([event!.reportingComponent, event!.reportingInstance], ['kubelet', 'n1'])
  assert.deepEqual(
    [event!.firstTimestamp, event!.lastTimestamp],
    ['2023-11-14T22:13:20Z', '2023-11-14T22:13:20Z'],
  )
})

test('events about cluster-scoped objects are in the namespace default', async () => {
  const { client, recorder } = make()
  recorder.event(node, 'Normal', 'NodeReady', 'ready')
  await settle()
  assert.equal((await client.list(events, { namespace: 'default' })).items.length, 1)
})

test('an event that comes again is counted, events stay in order', async () => {
  const { server, clock, recorder, stored } = make()
  for (const message of ['one', 'two', 'one']) recorder.event(pod, 'Normal', 'R', message)
  await clock.advance(1_000)
  recorder.event(pod, 'Normal', 'R', 'one')
  await settle()
  assert.deepEqual(await stored(), ['one 3', 'two 1'])
  assert.deepEqual(
    server.requests.map(({ verb }) => verb),
    ['create', 'create', 'patch', 'patch', 'list'],
  )
  assert.deepEqual(server.requests[3]?.patch?.document, {
    count: 3,
    lastTimestamp: '2023-11-14T22:13:21Z',
    message: 'one',
  })
})

test('an event that the server has forgotten is created again with its count', async () => {
  const { client, recorder, stored } = make()
  recorder.event(pod, 'Normal', 'R', 'one')
  await settle()
  await client.deleteCollection(events, { namespace: 'a' })
  recorder.event(pod, 'Normal', 'R', 'one')
  await settle()
  assert.deepEqual(await stored(), ['one 2'])
})

test('a server that cannot be reached is tried again, and later events wait their turn', async () => {
  const { server, clock, recorder, stored } = make()
  for (let i = 0; i < 2; i++) server.failures.push({ verb: 'create', error: new Error('no connection') })
  recorder.event(pod, 'Normal', 'R', 'one')
  recorder.event(pod, 'Normal', 'R', 'two')
  await clock.advance(14_999)
  assert.deepEqual(await stored(), [])
  await clock.advance(1)
  assert.deepEqual(await stored(), ['one 1', 'two 1'])
})

test('an event that the server refuses is dropped and holds up nothing', async () => {
  const { server, recorder, stored } = make()
  server.failures.push({ verb: 'create', error: serverError(403, 'Forbidden') })
  recorder.event(pod, 'Normal', 'R', 'one')
  recorder.event(pod, 'Normal', 'R', 'two')
  await settle()
  assert.deepEqual(await stored(), ['two 1'])
})

test('after twelve tries an event is given up', async () => {
  const { server, clock, recorder, stored } = make()
  for (let i = 0; i < 12; i++) server.failures.push({ verb: 'create', error: new Error('no connection') })
  recorder.event(pod, 'Normal', 'R', 'one')
  recorder.event(pod, 'Normal', 'R', 'two')
  await clock.advance(5_000 + 10 * 10_000)
  assert.deepEqual(await stored(), ['two 1'])
})

test('no more than a thousand events wait', async () => {
  const { server, clock, recorder } = make()
  server.failures.push({ verb: 'create', error: new Error('no connection') })
  for (let i = 0; i < 1_500; i++)
    recorder.event({ kind: 'Pod', namespace: 'a', name: `p${i}` }, 'Normal', 'R', 'm')
  await clock.advance(5_000)
  assert.equal(server.requests.length - 1, 1_000)
})

test('flush writes what was recorded, and does not wait for a server that is gone', async () => {
  const { server, clock, recorder, stored } = make()
  server.failures.push({ verb: 'create', error: new Error('no connection') })
  recorder.event(pod, 'Normal', 'R', 'one')
  recorder.event(pod, 'Normal', 'R', 'two')
  await recorder.flush(new AbortController().signal)
  assert.deepEqual(await stored(), ['two 1'])
  assert.equal(clock.nextWakeAt(), undefined)
  await recorder.flush(AbortSignal.abort())
})
