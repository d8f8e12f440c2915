// `node bench/storage.ts`: what the store on disk costs beside the floor of bare lmdb (a put, then flushed).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import type { KubeObject } from '../src/api/kube-object.ts'
import { openLmdbStorage } from '../src/storage/lmdb/lmdb-storage.ts'
import type { Storage } from '../src/storage/storage.ts'

const SECONDS = Number(process.env.BENCH_SECONDS ?? 2)
const OBJECTS = 10_000
const WATCHERS = 100
const directory = mkdtempSync(join(tmpdir(), 'kubernode-bench-store-'))

try {
  await main()
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function main(): Promise<void> {
  console.log('| commits a second | writers | bare lmdb | store | ratio |\n|---|---|---|---|---|')
  let storage = openStore()
  for (const writers of [1, 64]) {
    const floor = await bareCommits(writers)
    const ours = await storeCommits(storage, writers)
    console.log(`| 1.5 kB objects | ${writers} | ${floor} | ${ours} | ${(ours / floor).toFixed(2)} |`)
  }
  for (let i = storage.count('/list/'); i < OBJECTS; i++) void storage.create(`/list/${i}`, pod(`list-${i}`))
  await storage.create('/last', pod('last'))
  const bare = await bareList()
  row(`list of ${OBJECTS}`, await time(() => storage.list('/list/')), bare)
  row(`20 pages of 500`, await time(() => pages(storage)), bare)
  row(`one change to ${WATCHERS} watchers`, await fanOut(storage), await bareFlush())
  storage = await reopened(storage, bare)
  await storage.compact(storage.revision())
  storage = await reopened(storage, bare)
  await storage.close()
}

async function reopened(storage: Storage, floor: number): Promise<Storage> {
  const history = storage.revision() - storage.compactedRevision()
  await storage.close()
  const started = performance.now()
  const again = openStore()
  row(
    `open with ${again.count('/')} objects, ${history} changes of history`,
    performance.now() - started,
    floor,
  )
  return again
}

function row(what: string, ms: number, floor: number): void {
  console.log(
    `${what.padEnd(58)} ${ms.toFixed(2).padStart(8)} ms, floor ${floor.toFixed(2)} ms, ratio ${(ms / floor).toFixed(2)}`,
  )
}

function openStore(): Storage {
  return openLmdbStorage({
    directory: join(directory, 'store'),
    onFatal: error => {
      throw error
    },
  })
}

function bareDatabase() {
  const root = open({ path: join(directory, 'bare'), noSubdir: false, maxDbs: 1, separateFlushed: true })
  return {
    root,
    versions: root.openDB<string, number>({ name: 'versions', encoding: 'string' }),
  }
}

/** Each writer puts a version, waits until it is flushed, and starts over. */
async function bareCommits(writers: number): Promise<number> {
  const { root, versions } = bareDatabase()
  const text = JSON.stringify(pod('bare'))
  let commits = 0
  let revision = 0
  const end = performance.now() + SECONDS * 1_000
  await parallel(writers, async () => {
    while (performance.now() < end) {
      void versions.put(++revision, text)
      await versions.flushed
      commits++
    }
  })
  await root.close()
  return Math.round(commits / SECONDS)
}

async function storeCommits(storage: Storage, writers: number): Promise<number> {
  let commits = 0
  const end = performance.now() + SECONDS * 1_000
  await parallel(writers, async writer => {
    for (let i = 0; performance.now() < end; i++) {
      const key = `/k/${writer}/${i % 100}`
      const current = storage.get(key)
      const result = await (current
        ? storage.update(key, pod(key), current.revision)
        : storage.create(key, pod(key)))
      if (!result.ok) throw new Error('nobody else writes here')
      commits++
    }
  })
  return Math.round(commits / SECONDS)
}

/** Reading and parsing as many objects as the store lists. */
async function bareList(): Promise<number> {
  const { root, versions } = bareDatabase()
  const text = JSON.stringify(pod('bare'))
  for (let i = 0; i < OBJECTS; i++) void versions.put(1_000_000_000 + i, text)
  await versions.flushed
  const ms = await time(async () => {
    const objects: unknown[] = []
    for (const { value } of versions.getRange({ start: 1_000_000_000 })) objects.push(JSON.parse(value))
    return objects
  })
  await root.close()
  return ms
}

async function bareFlush(): Promise<number> {
  const { root, versions } = bareDatabase()
  const text = JSON.stringify(pod('bare'))
  const ms = await time(async () => {
    void versions.put(1, text)
    await versions.flushed
  }, 100)
  await root.close()
  return ms
}

async function pages(storage: Storage): Promise<void> {
  const { revision, items } = await storage.list('/list/', { limit: 500 })
  for (let after = items.at(-1)?.key; after !== undefined; ) {
    const page = await storage.list('/list/', { limit: 500, after, revision })
    after = page.remaining > 0 ? page.items.at(-1)?.key : undefined
  }
}

/** From the write until every watcher has the event. */
async function fanOut(storage: Storage): Promise<number> {
  const abort = new AbortController()
  const watches = Array.from({ length: WATCHERS }, () =>
    storage.watch('/fan/', { after: storage.revision(), signal: abort.signal })[Symbol.asyncIterator](),
  )
  let next = 0
  const ms = await time(async () => {
    const seen = watches.map(watch => watch.next())
    void storage.create(`/fan/${next++}`, pod('fan'))
    await Promise.all(seen)
  }, 100)
  abort.abort()
  return ms
}

/** The median, in milliseconds. */
async function time(action: () => Promise<unknown>, runs = 15): Promise<number> {
  const took: number[] = []
  for (let run = 0; run < runs; run++) {
    const started = performance.now()
    await action()
    took.push(performance.now() - started)
  }
  return took.sort((a, b) => a - b)[Math.floor(runs / 2)]!
}

async function parallel(count: number, action: (index: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => action(index)))
}

function pod(name: string): KubeObject {
  const time = '2026-01-01T00:00:00Z'
  const conditions = ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled']
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: '12345678-1234-1234-1234-123456789012',
      resourceVersion: '',
      creationTimestamp: time,
      labels: { app: 'web', tier: 'front' },
    },
    spec: {
      containers: [
        { name: 'web', image: 'nginx:1.25', resources: {}, terminationMessagePath: '/dev/termination-log' },
      ],
      restartPolicy: 'Always',
      tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
      nodeName: 'node-1',
      note: 'x'.repeat(300),
    },
    status: {
      phase: 'Running',
      conditions: conditions.map(type => ({
        type,
        status: 'True',
        lastProbeTime: null,
        lastTransitionTime: time,
      })),
      containerStatuses: [
        {
          name: 'web',
          state: { running: { startedAt: time } },
          lastState: {},
          ready: true,
          restartCount: 0,
          image: 'nginx:1.25',
        },
      ],
    },
  }
}
