// What a client must do whichever transport it uses, as tests to be registered for each.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMaps } from '../api/resources.ts'
import { isAlreadyExists, isConflict, isExpired, isNotFound } from '../api/status-error.ts'
import type { Client } from './client.ts'

export interface OpenedClient {
  client: Client
  /** A namespace that exists, holds no ConfigMaps named by these tests, and may be written to. */
  namespace: string
  close(): Promise<void>
}

type Check = (title: string, body: (client: Client, namespace: string) => Promise<void>) => void

/** Registers the contract's tests. */
export function clientContract(name: string, openClient: () => Promise<OpenedClient>): void {
  const check: Check = (title, body) =>
    test(`${name}: ${title}`, { timeout: 20_000 }, async () => {
      const { client, namespace, close } = await openClient()
      try {
        await body(client, namespace)
      } finally {
        await client.deleteCollection(configMaps, { namespace })
        await close()
      }
    })
  writes(check)
  failures(check)
  watches(check)
}

const draft = (namespace: string, name: string, data: Record<string, string> = {}) => ({
  metadata: { name, namespace },
  data,
})

function writes(check: Check): void {
  check('an object is created, read, replaced, patched and deleted', async (client, namespace) => {
    const key = { name: 'life', namespace }
    const created = await client.create(configMaps, draft(namespace, 'life', { text: 'ä\nb' }))
    assert.deepEqual(created.data, { text: 'ä\nb' })
    assert.ok(Number(created.metadata.resourceVersion) > 0)
    assert.deepEqual((await client.get(configMaps, key)).metadata.uid, created.metadata.uid)
    const updated = await client.update(configMaps, { ...created, data: { text: 'new' } })
    assert.deepEqual(updated.data, { text: 'new' })
    const document = { data: { text: null, more: 'yes' } }
    const patched = await client.patch(configMaps, key, 'application/merge-patch+json', document)
    assert.deepEqual(patched.data, { more: 'yes' })
    await client.delete(configMaps, key)
    await assert.rejects(client.get(configMaps, key), isNotFound)
  })

  check('a list has the objects of its namespace and a revision to watch from', async (client, namespace) => {
    for (const name of ['list-a', 'list-b']) await client.create(configMaps, draft(namespace, name))
    const { items, metadata } = await client.list(configMaps, { namespace })
    const names = items.map(item => item.metadata.name).filter(name => name.startsWith('list-'))
    assert.deepEqual(names.sort(), ['list-a', 'list-b'])
    assert.ok(Number(metadata.resourceVersion) >= Number(items.at(-1)?.metadata.resourceVersion))
  })

  check('deleting a collection empties it', async (client, namespace) => {
    for (const name of ['many-a', 'many-b']) await client.create(configMaps, draft(namespace, name))
    await client.deleteCollection(configMaps, { namespace })
    const { items } = await client.list(configMaps, { namespace })
    assert.deepEqual(
      items.filter(item => item.metadata.name.startsWith('many-')),
      [],
    )
  })

  check('a dry run changes nothing', async (client, namespace) => {
    await client.create(configMaps, draft(namespace, 'dry'), { dryRun: ['All'] })
    await assert.rejects(client.get(configMaps, { name: 'dry', namespace }), isNotFound)
  })
}

function failures(check: Check): void {
  check('failures arrive as the StatusError that the server made', async (client, namespace) => {
    const created = await client.create(configMaps, draft(namespace, 'taken'))
    await assert.rejects(client.create(configMaps, draft(namespace, 'taken')), (error: unknown) => {
      assert.ok(isAlreadyExists(error))
      assert.equal(error.message, 'configmaps "taken" already exists')
      assert.deepEqual([error.status.code, error.status.details?.name], [409, 'taken'])
      return true
    })
    await client.update(configMaps, { ...created, data: { a: '1' } })
    await assert.rejects(client.update(configMaps, { ...created, data: { a: '2' } }), isConflict)
    const deleteOther = client.delete(
      configMaps,
      { name: 'taken', namespace },
      { preconditions: { uid: 'other' } },
    )
    await assert.rejects(deleteOther, isConflict)
  })
}

function watches(check: Check): void {
  check('a watch tells every change after its revision, in order', async (client, namespace) => {
    const { metadata } = await client.list(configMaps, { namespace })
    const created = await client.create(configMaps, draft(namespace, 'watched', { v: '1' }))
    const abort = new AbortController()
    const options = { namespace, resourceVersion: metadata.resourceVersion, signal: abort.signal }
    const seen: string[] = []
    for await (const { type, object } of client.watch(configMaps, options)) {
      if (type === 'BOOKMARK') continue
      seen.push(`${type} ${object.metadata.name} ${object.data?.v}`)
      if (seen.length === 1) await client.update(configMaps, { ...created, data: { v: '2' } })
      if (seen.length === 2) await client.delete(configMaps, { name: 'watched', namespace })
      if (seen.length === 3) break
    }
    assert.deepEqual(seen, ['ADDED watched 1', 'MODIFIED watched 2', 'DELETED watched 2'])
    abort.abort()
  })

  check('aborting a watch ends it without an error', async (client, namespace) => {
    const abort = new AbortController()
    const { metadata } = await client.list(configMaps, { namespace })
    const { resourceVersion } = metadata
    const watching = (async () => {
      let seen = 0
      for await (const _ of client.watch(configMaps, { namespace, resourceVersion, signal: abort.signal })) {
        seen++
        abort.abort()
      }
      return seen
    })()
    await client.create(configMaps, draft(namespace, 'first'))
    assert.equal(await watching, 1)
  })
}

/** For servers whose history can be cut short: registers the test that needs it. */
export function expiredWatchContract(
  name: string,
  openClient: () => Promise<OpenedClient & { forgetHistory(): Promise<void> }>,
): void {
  test(`${name}: a watch from a forgotten revision fails as Expired`, { timeout: 20_000 }, async () => {
    const { client, namespace, forgetHistory, close } = await openClient()
    try {
      const { metadata } = await client.list(configMaps, { namespace })
      await client.create(configMaps, draft(namespace, 'later'))
      await forgetHistory()
      await assert.rejects(async () => {
        for await (const _ of client.watch(configMaps, {
          namespace,
          resourceVersion: metadata.resourceVersion,
        }));
      }, isExpired)
    } finally {
      await close()
    }
  })
}
