import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PlainError } from '../../base/plain-error.ts'
import { configMap, storageContract, written } from '../contract.ts'
import type { Storage, StorageEvent } from '../storage.ts'
import { openLmdbStorage } from './lmdb-storage.ts'

function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'kubernode-store-'))
}

function open(directory: string): Storage {
  return openLmdbStorage({
    directory,
    onFatal: error => {
      throw error
    },
  })
}

storageContract('lmdb', async () => {
  const directory = temporaryDirectory()
  const storage = open(directory)
  const close = async () => {
    await storage.close()
    rmSync(directory, { recursive: true })
  }
  return { storage, close }
})

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = temporaryDirectory()
  try {
    await body(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function history(storage: Storage, after: number): Promise<StorageEvent[]> {
  const events: StorageEvent[] = []
  if (after >= storage.revision()) return events
  for await (const event of storage.watch('/', { after, signal: new AbortController().signal })) {
    events.push(event)
    if (event.revision === storage.revision()) break
  }
  return events
}

test('a reopened store has its versions, its history and its counters', () =>
  inDirectory(async directory => {
    const first = open(directory)
    written(await first.create('/a', configMap('a', '1')))
    written(await first.create('/b', configMap('b', '1')))
    written(await first.update('/a', configMap('a', '2'), 2))
    written(await first.delete('/b', 3))
    await first.compact(2)
    const [list, events] = [await first.list('/'), await history(first, 2)]
    await first.close()
    const second = open(directory)
    assert.deepEqual([second.revision(), second.compactedRevision()], [5, 2])
    assert.deepEqual(await second.list('/'), list)
    assert.ok(Object.isFrozen(second.get('/a')?.object.metadata))
    assert.deepEqual(await history(second, 2), events)
    assert.deepEqual(
      (await second.list('/', { revision: 3 })).items.map(({ key, revision }) => [key, revision]),
      [
        ['/a', 2],
        ['/b', 3],
      ],
    )
    assert.equal(written(await second.create('/b', configMap('b'))).revision, 6)
    await second.close()
  }))

test('the revision does not go back when the newest change was a delete that is compacted', () =>
  inDirectory(async directory => {
    const first = open(directory)
    written(await first.create('/a', configMap('a')))
    written(await first.delete('/a', 2))
    await first.compact(3)
    await first.close()
    const second = open(directory)
    assert.equal(second.revision(), 3)
    assert.equal(written(await second.create('/a', configMap('a'))).revision, 4)
    await second.close()
  }))

test('a watch over more history than memory holds reads the rest from disk, without a gap', () =>
  inDirectory(async directory => {
    const storage = open(directory)
    await Promise.all(Array.from({ length: 7_000 }, (_, i) => storage.create(`/${i}`, configMap(`${i}`))))
    const revisions = (await history(storage, 1)).map(({ revision }) => revision)
    assert.deepEqual(
      revisions,
      Array.from({ length: 7_000 }, (_, i) => i + 2),
    )
    await storage.close()
  }))

test('compaction leaves on disk only what can still be asked for', () =>
  inDirectory(async directory => {
    const first = open(directory)
    for (let i = 0; i < 300; i++) {
      const { revision } = written(await first.create('/gone', configMap('gone', 'x'.repeat(20_000))))
      written(await first.delete('/gone', revision))
    }
    const kept = written(await first.create('/kept', configMap('kept')))
    await first.compact(kept.revision)
    const grown = statSync(join(directory, 'data.mdb')).size
    for (let i = 0; i < 200; i++) {
      const { revision } = written(await first.create('/gone', configMap('gone', 'x'.repeat(20_000))))
      written(await first.delete('/gone', revision))
    }
    assert.ok(statSync(join(directory, 'data.mdb')).size < grown * 1.2, 'freed pages are used again')
    await first.close()
  }))

test('files are for their owner only', () =>
  inDirectory(async parent => {
    const directory = join(parent, 'deep', 'store')
    const storage = open(directory)
    written(await storage.create('/a', configMap('a')))
    assert.equal(statSync(directory).mode & 0o777, 0o700)
    const modes = readdirSync(directory).map(name => statSync(join(directory, name)).mode & 0o777)
    assert.ok(modes.length >= 3)
    assert.deepEqual(new Set(modes), new Set([0o600]))
    await storage.close()
  }))

test('a directory in use is refused in one sentence, and free again after close', () =>
  inDirectory(async directory => {
    const storage = open(directory)
    assert.throws(
      () => open(directory),
      (error: unknown) => {
        assert.ok(error instanceof PlainError)
        assert.match(
          error.message,
          new RegExp(`^the store in ${directory} is in use by process ${process.pid};`),
        )
        return true
      },
    )
    await storage.close()
    await open(directory).close()
  }))

test('a directory that cannot be made is refused in one sentence', () =>
  inDirectory(async directory => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    chmodSync(file, 0o400)
    assert.throws(() => open(join(file, 'store')), {
      name: 'PlainError',
      message: /cannot be written to \(ENOTDIR\)/,
    })
  }))

interface Acknowledged {
  type: string
  key: string
  revision: number
}

/** Runs the writing child, kills it, and returns what it printed as acknowledged. */
async function writeUntilKilled(directory: string, writes: number): Promise<Acknowledged[]> {
  const script = fileURLToPath(new URL('./writer.fixture.ts', import.meta.url))
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  let lines = 0
  for await (const piece of child.stdout.setEncoding('utf8')) {
    output += piece
    lines += (piece as string).split('\n').length - 1
    if (lines >= writes) child.kill('SIGKILL')
  }
  return output
    .slice(0, output.lastIndexOf('\n'))
    .split('\n')
    .map(line => line.split(' '))
    .map(([type, key, revision]) => ({ type: type!, key: key!, revision: Number(revision) }))
}

test('after kill -9 everything acknowledged is there and revisions never go back', { timeout: 60_000 }, () =>
  inDirectory(async directory => {
    const expected = new Map<string, number | undefined>()
    let newest = 1
    for (const writes of [50, 700, 1_500]) {
      for (const { type, key, revision } of await writeUntilKilled(directory, writes)) {
        assert.ok(type === 'delete' || revision > newest || !expected.has(key))
        expected.set(key, type === 'put' ? revision : undefined)
        newest = Math.max(newest, revision)
      }
      const storage = open(directory)
      assert.ok(
        storage.revision() >= newest,
        `revision ${storage.revision()} after ${newest} was acknowledged`,
      )
      for (const [key, revision] of expected) {
        const found = storage.get(key)
        // A delete may have been committed without having been acknowledged before the kill.
        if (revision === undefined) assert.equal(found, undefined, `${key} was deleted`)
        else if (found || revision % 3 > 0) assert.equal(found?.revision, revision, `${key} was written`)
        assert.equal(found?.object.metadata.resourceVersion, found && String(found.revision))
      }
      const events = await history(storage, storage.compactedRevision())
      // The writer may have been killed before it compacted anything; an empty store is at revision 1.
      assert.equal(events.length, storage.revision() - Math.max(storage.compactedRevision(), 1))
      newest = storage.revision()
      await storage.close()
    }
  }),
)

test(
  'a store that can write no more says so once, and keeps all that it acknowledged',
  { timeout: 60_000 },
  () =>
    inDirectory(async directory => {
      const script = fileURLToPath(new URL('./full-disk.fixture.ts', import.meta.url))
      // An ignored SIGXFSZ makes writes past the limit fail, as they do on a full disk.
      const command = `trap '' XFSZ; ulimit -f 4000; exec "$0" "$@"`
      const child = spawn('sh', ['-c', command, process.execPath, script, directory], {
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      child.stderr.resume()
      for await (const piece of child.stdout.setEncoding('utf8')) output += piece
      const lines = output.trim().split('\n')
      const acknowledged = lines
        .filter(line => line.startsWith('acknowledged '))
        .map(line => line.split(' ')[1]!)
      assert.deepEqual(
        lines.filter(line => line.startsWith('fatal')),
        ['fatal true'],
      )
      assert.deepEqual(
        new Set(lines.filter(line => line.startsWith('refused'))),
        new Set(['refused the store cannot write any more']),
      )
      assert.equal(lines.at(-1), `revision ${acknowledged.length + 1}`)
      const storage = open(directory)
      for (const key of acknowledged) assert.ok(storage.get(key), `${key} was acknowledged`)
      written(await storage.create('/later', configMap('later')))
      await storage.close()
    }),
)
