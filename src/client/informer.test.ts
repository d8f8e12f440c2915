import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMaps } from '../api/resources.ts'
import type { ConfigMap } from '../api/types/core-v1.ts'
import { silentLog } from '../base/log.ts'
import { ManualClock, settle } from '../base/manual-clock.ts'
import { Client } from './client.ts'
import { Informer } from './informer.ts'
import { MapHandler, serverError } from './map-handler.fixture.ts'

interface Fixture {
  server: MapHandler
  client: Client
  clock: ManualClock
  informer: Informer<ConfigMap>
  seen: string[]
  write(name: string, v: string): Promise<void>
  remove(name: string): Promise<void>
}

async function withInformer(
  body: (fixture: Fixture) => Promise<void>,
  existing: string[] = [],
): Promise<void> {
  const server = new MapHandler()
  const client = new Client(server.handle, { name: 'test', groups: [] })
  const clock = new ManualClock()
  const seen: string[] = []
  const informer = new Informer<ConfigMap>({
    client,
    resource: configMaps,
    namespace: 'default',
    clock,
    log: silentLog,
    random: () => 0,
    indexers: { value: ({ data }) => (data?.v ? [data.v] : []) },
  })
  informer.addHandler({
    add: ({ metadata: { name }, data }, initial) =>
      seen.push(`add ${name} ${data?.v}${initial ? ' initial' : ''}`),
    update: (old, { metadata: { name }, data }) => seen.push(`update ${name} ${old.data?.v}>${data?.v}`),
    delete: ({ metadata: { name }, data }) => seen.push(`delete ${name} ${data?.v}`),
  })
  const write = async (name: string, v: string) => {
    const old = informer.lister.find(name, 'default')
    const object = { metadata: { name, namespace: 'default' }, data: { v } }
    await (old ? client.update(configMaps, object) : client.create(configMaps, object))
  }
  const remove = async (name: string) => {
    await client.delete(configMaps, { name, namespace: 'default' })
  }
  for (const name of existing) await write(name, '0')
  const abort = new AbortController()
  const running = informer.run(abort.signal)
  await settle()
  await body({ server, client, clock, informer, seen, write, remove })
  abort.abort()
  await running
}

test('what exists is added first, then changes are told in order; the lister knows first', () =>
  withInformer(
    async ({ informer, seen, write, remove }) => {
      await informer.synced
      await write('b', '1')
      await settle()
      await write('b', '2')
      await remove('a')
      await settle()
      assert.deepEqual(seen, ['add a 0 initial', 'add b 1', 'update b 1>2', 'delete a 0'])
      assert.deepEqual(
        informer.lister.list().map(({ data }) => data?.v),
        ['2'],
      )
      assert.equal(informer.lister.findByKey('default/b')?.data?.v, '2')
      assert.equal(informer.lister.find('a', 'default'), undefined)
    },
    ['a'],
  ))

test('indices follow every change', () =>
  withInformer(async ({ informer, write, remove }) => {
    const named = (v: string) => informer.lister.byIndex('value', v).map(({ metadata }) => metadata.name)
    for (const name of ['a', 'b']) await write(name, 'x')
    await settle()
    assert.deepEqual([named('x'), named('y')], [['a', 'b'], []])
    await write('a', 'y')
    await remove('b')
    await settle()
    assert.deepEqual([named('x'), named('y')], [[], ['a']])
    assert.deepEqual(informer.lister.list('default').length, 1)
    assert.deepEqual(informer.lister.list('other'), [])
  }))

test('a handler that comes late is told what exists, and one that throws does not stop the others', () =>
  withInformer(
    async ({ informer, seen, write }) => {
      const late: string[] = []
      informer.addHandler({
        add: () => {
          throw new Error('broken')
        },
      })
      const remove = informer.addHandler({
        add: ({ metadata }, initial) => late.push(`${metadata.name} ${initial}`),
      })
      await write('b', '1')
      await settle()
      remove()
      await write('c', '1')
      await settle()
      assert.deepEqual(late, ['a true', 'b false'])
      assert.equal(seen.length, 3)
    },
    ['a'],
  ))

test('a watch that ends is taken up from where it was, bookmarks included', () =>
  withInformer(async ({ server, clock, write, seen }) => {
    await write('a', '1')
    await settle()
    await server.handle({
      user: { name: '', groups: [] },
      verb: 'create',
      group: '',
      version: 'v1',
      resource: 'configmaps',
      namespace: 'elsewhere',
      body: { metadata: { name: 'x' } },
    })
    server.bookmark()
    await settle()
    server.endWatches()
    await clock.advance(1_000)
    const { options } = server.requests.findLast(({ verb }) => verb === 'watch')!
    assert.equal(options?.resourceVersion, '3')
    assert.equal(options?.allowWatchBookmarks, true)
    await write('a', '2')
    await settle()
    assert.deepEqual(seen, ['add a 1', 'update a 1>2'])
    assert.equal(server.requests.filter(({ verb }) => verb === 'list').length, 1)
  }))

test('after an Expired watch a new list tells what was missed, without the versions in between', () =>
  withInformer(
    async ({ server, client, clock, seen }) => {
      server.endWatches(new Error('gone'))
      await settle()
      const key = { namespace: 'default' }
      for (const v of ['1', '2'])
        await client.update(configMaps, { metadata: { ...key, name: 'a' }, data: { v } })
      await client.create(configMaps, { metadata: { ...key, name: 'c' }, data: { v: '1' } })
      await client.delete(configMaps, { ...key, name: 'b' })
      server.forgetHistory()
      await clock.advance(5_000)
      assert.deepEqual(seen.slice(2), ['update a 0>2', 'add c 1', 'delete b 0'])
      assert.equal(server.watchers, 1)
    },
    ['a', 'b'],
  ))

test('failures are retried with growing delays; synced waits for the first list', async () => {
  const server = new MapHandler()
  const client = new Client(server.handle, { name: 'test', groups: [] })
  const clock = new ManualClock()
  for (let i = 0; i < 3; i++) server.failures.push({ verb: 'list', error: serverError(500, 'InternalError') })
  const informer = new Informer({ client, resource: configMaps, clock, log: silentLog, random: () => 0 })
  const abort = new AbortController()
  const running = informer.run(abort.signal)
  await clock.advance(800 + 1_600 + 3_199)
  assert.deepEqual([informer.isSynced, server.requests.length], [false, 3])
  await clock.advance(1)
  await informer.synced
  assert.equal(server.requests.filter(({ verb }) => verb === 'list').length, 4)
  abort.abort()
  await running
})

test('a server that ends every watch at once is not asked without pause', () =>
  withInformer(async ({ server, clock }) => {
    const before = server.requests.length
    for (let i = 0; i < 1_000; i++) {
      server.endWatches()
      await clock.advance(10)
    }
    assert.ok(
      server.requests.length - before < 12,
      `${server.requests.length - before} requests in ten seconds`,
    )
  }))

test('an informer stops while it waits to try again', async () => {
  const server = new MapHandler()
  server.failures.push({ verb: 'list', error: serverError(500, 'InternalError') })
  const client = new Client(server.handle, { name: 'test', groups: [] })
  const informer = new Informer({ client, resource: configMaps, clock: new ManualClock(), log: silentLog })
  const abort = new AbortController()
  const running = informer.run(abort.signal)
  await settle()
  abort.abort()
  await running
  assert.equal(informer.isSynced, false)
})
