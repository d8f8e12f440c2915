import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { silentLog } from '../../../base/log.ts'
import { ManualClock } from '../../../base/manual-clock.ts'
import { imageUser } from './image-lookup.ts'
import { ImageStore } from './image-store.ts'
import { NEEDS_ROOT, scratchDirectory, scratchStore } from './test-support/scratch-store.ts'
import { file, tarOf } from './test-support/tar-writer.ts'
import { digestOf, makeImage, type TestImage, writeLayout } from './test-support/test-image.ts'

const options = { skip: NEEDS_ROOT }
const image = makeImage([[file('lower', '1')], [file('upper', '22')]], { Env: ['A=1'], Cmd: ['run'] })

function layoutOf(context: TestContext, its: TestImage, names: readonly string[]): string {
  const directory = path.join(scratchDirectory(context), 'layout')
  writeLayout(directory, its, names)
  return directory
}

const tarred = (directory: string) => {
  execFileSync('tar', ['-C', directory, '-cf', `${directory}.tar`, '.'])
  return `${directory}.tar`
}

for (const form of ['directory', 'tar', 'compressed tar']) {
  test(`an OCI layout is loaded from a ${form}`, options, async context => {
    const layout = layoutOf(context, image, ['docker.io/library/app:v1', 'docker.io/library/app:latest'])
    const source = form === 'directory' ? layout : tarred(layout)
    if (form === 'compressed tar') execFileSync('gzip', [source])
    const { store, directory } = await scratchStore(context)
    const [loaded] = await store.loadArchive(form === 'compressed tar' ? `${source}.gz` : source)
    assert.equal(loaded?.id, image.configDigest)
    assert.deepEqual(loaded.repoTags, ['docker.io/library/app:latest', 'docker.io/library/app:v1'])
    assert.deepEqual(loaded.repoDigests, [])
    assert.deepEqual(loaded.config, { Env: ['A=1'], Cmd: ['run'] })
    assert.deepEqual(store.fsInfo(), { bytes: 3, inodes: 2 })
    assert.deepEqual(readdirSync(path.join(directory, 'ingest')), [])
  })
}

test('what docker save writes is loaded', options, async context => {
  const directory = scratchDirectory(context)
  const layer = tarOf([file('a', '1')])
  const config = JSON.stringify({
    os: 'linux',
    architecture: 'amd64',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  })
  mkdirSync(path.join(directory, 'save/l'), { recursive: true })
  writeFileSync(path.join(directory, 'save/l/layer.tar'), layer)
  writeFileSync(path.join(directory, 'save/config.json'), config)
  const manifest = [{ Config: 'config.json', RepoTags: ['app:v1'], Layers: ['l/layer.tar'] }]
  writeFileSync(path.join(directory, 'save/manifest.json'), JSON.stringify(manifest))
  const { store } = await scratchStore(context)
  const [loaded] = await store.loadArchive(tarred(path.join(directory, 'save')), ['other:name'])
  assert.equal(loaded?.id, digestOf(Buffer.from(config)))
  assert.deepEqual(loaded.repoTags, ['docker.io/library/other:name'])
})

test('an archive cannot have its files outside of it', options, async context => {
  const directory = scratchDirectory(context)
  writeFileSync(path.join(directory, 'secret'), '{}')
  mkdirSync(path.join(directory, 'save'))
  const manifest = [{ Config: '../secret', RepoTags: ['app:v1'], Layers: [] }]
  writeFileSync(path.join(directory, 'save/manifest.json'), JSON.stringify(manifest))
  const { store } = await scratchStore(context)
  await assert.rejects(
    store.loadArchive(path.join(directory, 'save')),
    /refers to a file outside of it: "..\/secret"/,
  )
})

test('what is no archive is refused', options, async context => {
  const directory = scratchDirectory(context)
  writeFileSync(path.join(directory, 'text'), 'hello')
  const { store } = await scratchStore(context)
  await assert.rejects(store.loadArchive(path.join(directory, 'text')), { kind: 'Invalid' })
  await assert.rejects(store.loadArchive(path.join(directory, 'nothing')), { kind: 'NotFound' })
  await assert.rejects(store.loadArchive(directory), { kind: 'Invalid' })
})

test('an image is found by every way to name it', options, async context => {
  const { store } = await scratchStore(context)
  await store.loadArchive(layoutOf(context, image, ['docker.io/library/app:latest']))
  const hex = image.configDigest.replace('sha256:', '')
  for (const name of [
    'app',
    'app:latest',
    'docker.io/library/app',
    image.configDigest,
    hex,
    hex.slice(0, 12),
  ]) {
    assert.equal(store.find(name)?.id, image.configDigest, name)
  }
  for (const name of ['app:v2', 'other', hex.slice(0, 3), 'Not A Name'])
    assert.equal(store.find(name), undefined, name)
  assert.deepEqual((await store.inspect('app')).rootfs.diff_ids, image.diffIds)
  assert.throws(() => store.get('other'), { kind: 'NotFound' })
})

test('a name moves to the image that was loaded last', options, async context => {
  const { store } = await scratchStore(context)
  const newer = makeImage([[file('newer', '1')]])
  await store.loadArchive(layoutOf(context, image, ['docker.io/library/app:v1']))
  await store.loadArchive(layoutOf(context, newer, ['docker.io/library/app:v1']))
  assert.equal(store.find('app:v1')?.id, newer.configDigest)
  assert.deepEqual(store.get(image.configDigest).repoTags, [])
})

test(
  'removing one of two names keeps the image, removing the last drops it with its layers',
  options,
  async context => {
    const { store, directory } = await scratchStore(context)
    await store.loadArchive(
      layoutOf(context, image, ['docker.io/library/app:v1', 'docker.io/library/app:v2']),
    )
    assert.deepEqual(await store.remove('app:v1'), { untagged: ['docker.io/library/app:v1'] })
    assert.deepEqual(store.get('app:v2').repoTags, ['docker.io/library/app:v2'])
    const removed = await store.remove('app:v2')
    assert.deepEqual(removed, { untagged: ['docker.io/library/app:v2'], deleted: image.configDigest })
    assert.deepEqual(readdirSync(path.join(directory, 'layers')), [])
    await assert.rejects(store.remove('app:v2'), { kind: 'NotFound' })
  },
)

test('a layer stays as long as another image has it', options, async context => {
  const { store } = await scratchStore(context)
  const sibling = makeImage([[file('lower', '1')], [file('own', '333')]])
  await store.loadArchive(layoutOf(context, image, ['docker.io/library/a:1']))
  await store.loadArchive(layoutOf(context, sibling, ['docker.io/library/b:1']))
  assert.deepEqual(store.fsInfo(), { bytes: 6, inodes: 3 })
  await store.remove('a:1')
  assert.deepEqual(store.fsInfo(), { bytes: 4, inodes: 2 })
  assert.ok(existsSync(path.join(store.lowerDirectories(sibling.configDigest)[1]!, 'lower')))
})

test('an image that a container uses is not removed', options, async context => {
  const users = new Map([[image.configDigest, ['c1']]])
  const { store } = await scratchStore(context, { containersUsing: id => users.get(id) ?? [] })
  await store.loadArchive(layoutOf(context, image, ['docker.io/library/app:v1']))
  await assert.rejects(store.remove('app:v1'), {
    kind: 'InUse',
    message: /image used by c1: image is in use by a container/,
  })
  assert.deepEqual(store.candidates(Date.now()), [])
  users.clear()
  assert.equal((await store.remove(image.configDigest)).deleted, image.configDigest)
})

test('candidates for removal come in the order of their last use, which is kept', options, async context => {
  const clock = new ManualClock(1000)
  const directory = scratchDirectory(context)
  const first = await ImageStore.open({ directory, log: silentLog, clock })
  const other = makeImage([[file('other', '1')]])
  await first.loadArchive(layoutOf(context, image, ['docker.io/library/a:1']))
  await first.loadArchive(layoutOf(context, other, ['docker.io/library/b:1']))
  await clock.advance(500)
  first.markUsed(image.configDigest)
  await first.close()
  const { store } = await scratchStore(context, { directory, clock })
  const ids = (idleMs: number) => store.candidates(2000, idleMs).map(candidate => candidate.id)
  assert.deepEqual(ids(0), [other.configDigest, image.configDigest])
  assert.deepEqual(ids(800), [other.configDigest])
})

test('a second process cannot open the store, and can when the first has gone', options, async context => {
  const { store, directory } = await scratchStore(context)
  const open = () => ImageStore.open({ directory, log: silentLog, clock: new ManualClock(0) })
  await assert.rejects(open(), {
    kind: 'Busy',
    message: `the image store is in use by process ${process.pid}`,
  })
  const script = `import { ImageStore } from ${JSON.stringify(new URL('./image-store.ts', import.meta.url).href)}
    await ImageStore.open({ directory: ${JSON.stringify(directory)} }).catch(error => console.log(error.kind))`
  const other = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  assert.equal(other.stdout.trim(), 'Busy', other.stderr)
  await store.close()
  await (await open()).close()
})

test('opening removes what a crash left and forgets images with missing layers', options, async context => {
  const { store, directory } = await scratchStore(context)
  await store.loadArchive(layoutOf(context, image, ['docker.io/library/app:v1']))
  const lower = store.lowerDirectories(image.configDigest)[0]!
  await store.close()
  for (const leftover of ['ingest/x/root', 'layers/99/etc'])
    mkdirSync(path.join(directory, leftover), { recursive: true })
  writeFileSync(path.join(directory, 'configs/abc'), '{}')
  writeFileSync(path.join(directory, 'index.json.new'), 'half')
  const again = await scratchStore(context, { directory })
  assert.equal(again.store.list().length, 1)
  assert.deepEqual(readdirSync(path.join(directory, 'ingest')), [])
  assert.ok(
    !existsSync(path.join(directory, 'layers/99')) && !existsSync(path.join(directory, 'configs/abc')),
  )
  await again.store.close()
  rmSync(lower, { recursive: true })
  const { store: last } = await scratchStore(context, { directory })
  assert.deepEqual(last.list(), [])
  const [reloaded] = await last.loadArchive(layoutOf(context, image, ['docker.io/library/app:v1']))
  assert.equal(readFileSync(path.join(last.lowerDirectories(reloaded!.id)[0]!, 'upper'), 'utf8'), '22')
})

test('loading and removing images in any order leaves the store as it was', options, async context => {
  const layers = ['a', 'b', 'c', 'd'].map(name => [file(name, name)])
  const images = [[0, 1], [0, 2], [0, 1, 3], [3]].map(own => makeImage(own.map(i => layers[i]!)))
  const layouts = images.map((its, i) => layoutOf(context, its, [`docker.io/library/i${i}:v`]))
  const { store, directory } = await scratchStore(context)
  const state = () => ({
    layers: readdirSync(path.join(directory, 'layers')),
    configs: readdirSync(path.join(directory, 'configs')),
  })
  const before = state()
  const step = fc.tuple(fc.boolean(), fc.nat(images.length - 1))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async steps => {
      const present = new Set<number>()
      for (const [load, i] of steps) {
        if (load) await store.loadArchive(layouts[i]!)
        else if (present.has(i)) await store.remove(`i${i}:v`)
        if (load) present.add(i)
        else present.delete(i)
        assert.deepEqual(
          new Set(store.list().map(its => its.id)),
          new Set([...present].map(n => images[n]!.configDigest)),
        )
        for (const n of present)
          for (const lower of store.lowerDirectories(images[n]!.configDigest)) assert.ok(existsSync(lower))
      }
      await Promise.all([...present].map(i => store.remove(`i${i}:v`)))
      assert.deepEqual(state(), before)
      assert.deepEqual(store.fsInfo(), { bytes: 0, inodes: 0 })
    }),
    { numRuns: 15 },
  )
})

test("an image's user is a number or a name, without the group", () => {
  assert.deepEqual(imageUser('101:101'), { uid: 101, username: '' })
  assert.deepEqual(imageUser('nginx:www'), { username: 'nginx' })
  assert.deepEqual(imageUser(undefined), { username: '' })
})
