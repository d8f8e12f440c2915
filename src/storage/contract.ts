// What every store must do, as tests to be registered for each implementation.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../api/kube-object.ts'
import {
  Compacted,
  FutureRevision,
  SlowConsumer,
  type Storage,
  type StorageEvent,
  type Stored,
  type WriteResult,
} from './storage.ts'

/** An opened, empty store, and what to do when the test is over. */
export interface OpenedStorage {
  storage: Storage
  close(): Promise<void>
}

/** An object that tells versions apart by `value`. */
export function configMap(name: string, value = ''): KubeObject {
  const metadata = { name, namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } }
}

/** What was written; fails when the write was refused. */
export function written(result: WriteResult): Stored {
  assert.ok(result.ok, 'the write was refused')
  return result.stored
}

/** Registers the contract's tests; `open` gives each test an empty store. */
export function storageContract(name: string, open: () => Promise<OpenedStorage>): void {
  const check = (title: string, body: (storage: Storage) => Promise<void>) =>
    test(`${name}: ${title}`, { timeout: 30_000 }, async () => {
      const { storage, close } = await open()
      try {
        await body(storage)
      } finally {
        await close()
      }
    })
  writes(check)
  writesAtTheSameTime(check)
  lists(check)
  watches(check)
  compaction(check)
}

type Check = (title: string, body: (storage: Storage) => Promise<void>) => void

const textOf = (object: KubeObject | undefined) => (object?.data as { value: string } | undefined)?.value

function brief(event: StorageEvent): string {
  if (event.type === 'progress') return `progress ${event.revision}`
  return `${event.type} ${event.key} ${event.revision} ${textOf(event.previous) ?? '-'}>${textOf(event.object)}`
}

async function take(events: AsyncIterable<StorageEvent>, count: number): Promise<string[]> {
  const taken: string[] = []
  if (count === 0) return taken
  for await (const event of events) {
    taken.push(brief(event))
    if (taken.length === count) break
  }
  return taken
}

function writes(check: Check): void {
  check('an empty store is at revision 1 with nothing compacted', async storage => {
    assert.equal(storage.revision(), 1)
    assert.equal(storage.compactedRevision(), 0)
    assert.equal(storage.get('/a'), undefined)
    assert.deepEqual(await storage.list('/'), { items: [], revision: 1, remaining: 0 })
  })

  check(
    'a created object is stamped with its revision, frozen, and the same instance for all',
    async storage => {
      const stored = written(await storage.create('/a', configMap('a')))
      assert.equal(stored.revision, 2)
      assert.equal(stored.object.metadata.resourceVersion, '2')
      assert.ok(Object.isFrozen(stored.object.metadata))
      assert.equal(storage.get('/a')?.object, stored.object)
      assert.equal((await storage.list('/')).items[0]?.object, stored.object)
      assert.equal(storage.revision(), 2)
    },
  )

  check('creating what exists is refused with what stands there, and takes no revision', async storage => {
    const first = written(await storage.create('/a', configMap('a', 'first')))
    assert.deepEqual(await storage.create('/a', configMap('a', 'second')), { ok: false, current: first })
    assert.equal(storage.revision(), 2)
  })

  check('update and delete need the exact revision', async storage => {
    const first = written(await storage.create('/a', configMap('a', '1')))
    const second = written(await storage.update('/a', configMap('a', '2'), first.revision))
    assert.deepEqual(await storage.update('/a', configMap('a', 'x'), first.revision), {
      ok: false,
      current: second,
    })
    assert.deepEqual(await storage.delete('/a', first.revision), { ok: false, current: second })
    const removed = written(await storage.delete('/a', second.revision))
    assert.equal(removed.object.metadata.resourceVersion, '4')
    assert.equal(textOf(removed.object), '2')
    assert.equal(storage.get('/a'), undefined)
    assert.deepEqual(await storage.update('/a', configMap('a'), 4), { ok: false, current: undefined })
    assert.deepEqual(await storage.delete('/a', 4), { ok: false, current: undefined })
    assert.equal(written(await storage.create('/a', configMap('a', 'again'))).revision, 5)
  })
}

function writesAtTheSameTime(check: Check): void {
  check(
    'a write is judged against the writes before it, and seen by readers only when acknowledged',
    async storage => {
      const created = storage.create('/a', configMap('a', '1'))
      const refused = storage.create('/a', configMap('a', 'x'))
      const updated = storage.update('/a', configMap('a', '2'), 2)
      const stale = storage.update('/a', configMap('a', 'x'), 2)
      const removed = storage.delete('/a', 3)
      const again = storage.create('/a', configMap('a', '3'))
      assert.equal(storage.get('/a'), undefined)
      assert.equal(storage.revision(), 1)
      assert.equal(written(await created).revision, 2)
      assert.equal(textOf(((await refused) as { current?: Stored }).current?.object), '1')
      assert.equal(written(await updated).revision, 3)
      assert.equal(((await stale) as { current?: Stored }).current?.revision, 3)
      assert.equal(written(await removed).revision, 4)
      assert.equal(written(await again).revision, 5)
      assert.equal(textOf(storage.get('/a')?.object), '3')
    },
  )

  check('of many writers of one key exactly one wins each revision', async storage => {
    let { revision } = written(await storage.create('/a', configMap('a')))
    for (let round = 0; round < 20; round++) {
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, writer) => storage.update('/a', configMap('a', `${writer}`), revision)),
      )
      const winners = results.filter(({ ok }) => ok)
      assert.equal(winners.length, 1)
      revision = written(winners[0]!).revision
    }
    assert.equal(storage.revision(), 22)
  })

  check('a closed store refuses writes and ends watches', async storage => {
    const events = storage.watch('/', { after: 1, signal: new AbortController().signal })
    const seen = take(events, 5)
    const last = storage.create('/a', configMap('a'))
    await storage.close()
    assert.equal(written(await last).revision, 2)
    await assert.rejects(storage.create('/b', configMap('b')), /closed/)
    assert.ok((await seen).length <= 1)
  })
}

function lists(check: Check): void {
  const keysOf = (items: Stored[]) => items.map(({ key }) => key)

  check('a list is in key order and keeps to its prefix', async storage => {
    for (const key of [
      '/pods/b/1',
      '/pods/a/2',
      '/podtemplates/a/1',
      '/pods/a/10',
      '/nodes/a',
      '/pods/a/1',
    ]) {
      written(await storage.create(key, configMap('x')))
    }
    const { items, revision, remaining } = await storage.list('/pods/')
    assert.deepEqual(keysOf(items), ['/pods/a/1', '/pods/a/10', '/pods/a/2', '/pods/b/1'])
    assert.deepEqual([revision, remaining], [7, 0])
    assert.equal(storage.count('/pods/a/'), 3)
    assert.equal(storage.count('/pod'), 5)
    assert.equal(storage.count('/zebras/'), 0)
  })

  check('pages at one revision show the store as it was, whatever is written between them', async storage => {
    await Promise.all(
      Array.from({ length: 10 }, (_, i) => storage.create(`/k/${i}`, configMap(`${i}`, 'old'))),
    )
    const first = await storage.list('/k/', { limit: 4 })
    assert.deepEqual(keysOf(first.items), ['/k/0', '/k/1', '/k/2', '/k/3'])
    assert.equal(first.remaining, 6)
    written(await storage.delete('/k/5', storage.get('/k/5')!.revision))
    written(await storage.update('/k/6', configMap('6', 'new'), storage.get('/k/6')!.revision))
    written(await storage.create('/k/55', configMap('55', 'new')))
    written(await storage.create('/other', configMap('other')))
    const second = await storage.list('/k/', { limit: 4, after: '/k/3', revision: first.revision })
    assert.deepEqual(keysOf(second.items), ['/k/4', '/k/5', '/k/6', '/k/7'])
    assert.deepEqual(
      second.items.map(({ object }) => textOf(object)),
      ['old', 'old', 'old', 'old'],
    )
    assert.deepEqual([second.remaining, second.revision], [2, first.revision])
    assert.deepEqual(
      second.items.map(item => String(item.revision)),
      second.items.map(item => item.object.metadata.resourceVersion),
    )
    const third = await storage.list('/k/', { limit: 4, after: '/k/7', revision: first.revision })
    assert.deepEqual([keysOf(third.items), third.remaining], [['/k/8', '/k/9'], 0])
    const now = await storage.list('/k/', { after: '/k/3' })
    assert.deepEqual(keysOf(now.items), ['/k/4', '/k/55', '/k/6', '/k/7', '/k/8', '/k/9'])
  })

  check('a list in the future is refused', async storage => {
    await assert.rejects(storage.list('/', { revision: 2 }), FutureRevision)
  })
}

function watches(check: Check): void {
  check('a watch gives history and then live changes, once each and in order', async storage => {
    const abort = new AbortController()
    written(await storage.create('/a/1', configMap('1', 'x')))
    written(await storage.create('/b/1', configMap('1')))
    written(await storage.update('/a/1', configMap('1', 'y'), 2))
    const events = storage.watch('/a/', { after: 2, signal: abort.signal })
    written(await storage.delete('/a/1', 4))
    written(await storage.create('/a/2', configMap('2', 'z')))
    assert.deepEqual(await take(events, 3), ['put /a/1 4 x>y', 'delete /a/1 5 y>y', 'put /a/2 6 ->z'])
  })

  check('a change is in the store before its watchers and its writer hear of it', async storage => {
    const abort = new AbortController()
    const [event] = [storage.watch('/', { after: 1, signal: abort.signal })[Symbol.asyncIterator]().next()]
    const result = storage.create('/a', configMap('a'))
    const { value } = await event
    assert.equal(storage.get('/a')?.revision, value.revision)
    assert.equal(storage.get('/a')?.object, value.object)
    assert.equal(written(await result).object, value.object)
    abort.abort()
  })

  check('an aborted watch ends, and one that is aborted already gives nothing', async storage => {
    const abort = new AbortController()
    const events = take(storage.watch('/', { after: 1, signal: abort.signal }), 5)
    written(await storage.create('/a', configMap('a', '1')))
    abort.abort()
    assert.ok((await events).length <= 1)
    assert.deepEqual(await take(storage.watch('/', { after: 1, signal: abort.signal }), 5), [])
  })

  check('progress follows what is queued and tells the current revision', async storage => {
    const abort = new AbortController()
    const events = storage.watch('/a/', { after: 1, signal: abort.signal })
    written(await storage.create('/a/1', configMap('1', 'x')))
    written(await storage.create('/b/1', configMap('1')))
    storage.progress()
    assert.deepEqual(await take(events, 2), ['put /a/1 2 ->x', 'progress 3'])
  })

  check('a watcher that does not read is closed and does not hold up the others', async storage => {
    const abort = new AbortController()
    const slow = storage.watch('/', { after: 1, signal: abort.signal, maxBehind: 3 })
    const quick = take(storage.watch('/', { after: 1, signal: abort.signal, maxBehind: 3 }), 6)
    for (let i = 0; i < 6; i++) written(await storage.create(`/${i}`, configMap(`${i}`)))
    assert.equal((await quick).length, 6)
    await assert.rejects(take(slow, 6), SlowConsumer)
  })
}

function compaction(check: Check): void {
  check('after compaction old history is gone, current versions and newer history stay', async storage => {
    const abort = new AbortController()
    written(await storage.create('/a', configMap('a', '1')))
    written(await storage.create('/b', configMap('b', '1')))
    written(await storage.update('/a', configMap('a', '2'), 2))
    written(await storage.update('/a', configMap('a', '3'), 4))
    written(await storage.delete('/b', 3))
    await storage.compact(4)
    assert.equal(storage.compactedRevision(), 4)
    await assert.rejects(storage.list('/', { revision: 3 }), Compacted)
    await assert.rejects(take(storage.watch('/', { after: 3, signal: abort.signal }), 1), Compacted)
    assert.deepEqual(await take(storage.watch('/', { after: 4, signal: abort.signal }), 2), [
      'put /a 5 2>3',
      'delete /b 6 1>1',
    ])
    const then = await storage.list('/', { revision: 4 })
    assert.deepEqual(
      then.items.map(({ key, object }) => [key, textOf(object)]),
      [
        ['/a', '2'],
        ['/b', '1'],
      ],
    )
    assert.equal(textOf(storage.get('/a')?.object), '3')
  })

  check('compacting twice changes nothing, compacting the future is refused', async storage => {
    written(await storage.create('/a', configMap('a')))
    await storage.compact(2)
    await storage.compact(1)
    await storage.compact(2)
    assert.equal(storage.compactedRevision(), 2)
    await assert.rejects(storage.compact(3), FutureRevision)
    assert.equal(written(await storage.update('/a', configMap('a'), 2)).revision, 3)
  })

  check('a watch that is overtaken by compaction while it reads history says so', async storage => {
    const abort = new AbortController()
    await Promise.all(Array.from({ length: 1_200 }, (_, i) => storage.create(`/${i}`, configMap(`${i}`))))
    const events = storage.watch('/', { after: 1, signal: abort.signal })[Symbol.asyncIterator]()
    assert.equal((await events.next()).value.revision, 2)
    await storage.compact(1_200)
    await assert.rejects(async () => {
      while (!(await events.next()).done);
    }, Compacted)
  })
}
