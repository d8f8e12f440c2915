// Pulls from a registry that misbehaves.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { NEEDS_ROOT, scratchStore } from './test-support/scratch-store.ts'
import { file } from './test-support/tar-writer.ts'
import { makeImage, type TestImage } from './test-support/test-image.ts'
import { startTinyRegistry, type TinyRegistryOptions } from './test-support/tiny-registry.ts'

const options = { skip: NEEDS_ROOT }
const CONTENT = randomBytes(300_000)
const image = makeImage([[file('content', CONTENT)]])
const layer = image.layerDigests[0]!

async function start(context: TestContext, more: Partial<TinyRegistryOptions> = {}, its: TestImage = image) {
  const registry = await startTinyRegistry({ images: { x: { v1: its } }, ...more })
  context.after(() => registry.close())
  const { store, directory } = await scratchStore(context)
  return { registry, store, directory, name: `${registry.host}/x:v1` }
}

test('a broken download goes on where it ended', options, async context => {
  const ranges: (string | undefined)[] = []
  const { store, name } = await start(context, {
    onBlob(digest, content, request, response) {
      if (digest !== layer) return false
      ranges.push(request.headers.range)
      if (ranges.length > 2) return false
      const from = Number(/\d+/.exec(request.headers.range ?? '0')![0])
      if (from > 0)
        response.writeHead(206, { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` })
      response.flushHeaders()
      response.write(content.subarray(from, from + 100_000), () => setTimeout(() => response.destroy(), 50))
      return true
    },
  })
  const seen: number[] = []
  const pulled = await store.pull(name, { onProgress: ({ done }) => seen.push(done) })
  assert.deepEqual(ranges, [undefined, 'bytes=100000-', 'bytes=200000-'])
  const total = image.blobs.get(layer)!.length
  assert.equal(seen.at(-1), total)
  assert.ok(seen.every((bytes, i) => i === 0 || bytes >= seen[i - 1]!))
  assert.deepEqual(readFileSync(path.join(store.lowerDirectories(pulled.id)[0]!, 'content')), CONTENT)
})

test('a server without ranges sends everything again', options, async context => {
  let attempts = 0
  const { store, name } = await start(context, {
    onBlob(digest, content, _request, response) {
      if (digest !== layer) return false
      if (++attempts === 1)
        response.write(content.subarray(0, 50_000), () => setTimeout(() => response.destroy(), 50))
      else response.end(content)
      return true
    },
  })
  const pulled = await store.pull(name)
  assert.deepEqual(readFileSync(path.join(store.lowerDirectories(pulled.id)[0]!, 'content')), CONTENT)
})

for (const [what, wrong] of Object.entries({
  'a layer with another digest': (content: Buffer) => Buffer.from(content).fill(1, content.length - 9),
  'a layer that is too long': (content: Buffer) => Buffer.concat([content, Buffer.from('more')]),
})) {
  test(`${what} is refused and leaves nothing behind`, options, async context => {
    const { store, name, directory } = await start(context, {
      onBlob(digest, content, _request, response) {
        if (digest === layer) response.end(wrong(content))
        return digest === layer
      },
    })
    await assert.rejects(store.pull(name), { name: 'ImageError', kind: 'Invalid' })
    assert.deepEqual(store.list(), [])
    assert.deepEqual(readdirSync(path.join(directory, 'ingest')), [])
    assert.deepEqual(readdirSync(path.join(directory, 'layers')), [])
  })
}

test('a config with another digest is refused', options, async context => {
  const { store, name } = await start(context, {
    onBlob(digest, _content, _request, response) {
      if (digest === image.configDigest) response.end('{}')
      return digest === image.configDigest
    },
  })
  await assert.rejects(store.pull(name), /unexpected digest sha256:[0-9a-f]+, expected sha256:/)
})

test('a layer whose uncompressed content is not what the config says is refused', options, async context => {
  const liar = makeImage([[file('a', '1')]])
  const honest = makeImage([[file('b', '2')]])
  const document = JSON.parse(liar.blobs.get(liar.configDigest)!.toString())
  document.rootfs.diff_ids = honest.diffIds
  const { store, name } = await start(context, {}, makeForged(liar, document))
  await assert.rejects(store.pull(name), /wrong diff id calculated on extraction/)
})

function makeForged(base: TestImage, document: object): TestImage {
  const forged = makeImage([])
  const config = Buffer.from(JSON.stringify(document))
  const configDigest = `sha256:${hash(config)}`
  const manifest = JSON.parse(base.manifest.toString())
  manifest.config = { ...manifest.config, digest: configDigest, size: config.length }
  const content = Buffer.from(JSON.stringify(manifest))
  const blobs = new Map([...base.blobs, [configDigest, config]])
  return { ...forged, blobs, manifest: content, manifestDigest: `sha256:${hash(content)}`, configDigest }
}

const hash = (content: Buffer) => createHash('sha256').update(content).digest('hex')

test('zstd layers are unpacked', options, async context => {
  const packed = makeImage([[file('z', 'zstd')]], {}, tar => zstdCompressSync(tar))
  const { store, name } = await start(context, {}, packed)
  const pulled = await store.pull(name)
  assert.equal(readFileSync(path.join(store.lowerDirectories(pulled.id)[0]!, 'z'), 'utf8'), 'zstd')
})

test('a token is fetched for the challenge, anonymously and with a password', options, async context => {
  const open = await start(context, { token: { value: 'anybody' } })
  assert.equal((await open.store.pull(open.name)).id, image.configDigest)
  const token = { value: 'only-ann', user: 'ann', password: 'pw' }
  const closed = await start(context, { token })
  await assert.rejects(closed.store.pull(closed.name), {
    kind: 'Denied',
    message: `failed to pull and unpack image "${closed.name}": failed to resolve reference "${closed.name}": pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
  })
  await assert.rejects(closed.store.pull(closed.name, { auth: { username: 'ann', password: 'no' } }), {
    kind: 'Denied',
    message:
      /failed to authorize: failed to fetch oauth token: unexpected status from GET request to .*: 401 Unauthorized$/,
  })
  const auth = { username: 'ann', password: 'pw' }
  assert.equal((await closed.store.pull(closed.name, { auth })).id, image.configDigest)
})

test('pulling again what is there asks only whether it is still the same', options, async context => {
  const { store, registry, name } = await start(context)
  await store.pull(name)
  registry.requests.length = 0
  await store.pull(name)
  assert.deepEqual(registry.requests, ['HEAD /v2/x/manifests/v1'])
})

test('pulls of one image at the same time are one pull', options, async context => {
  const { store, registry, name } = await start(context)
  const pulled = await Promise.all([store.pull(name), store.pull(name), store.pull(name)])
  assert.deepEqual(new Set(pulled.map(image => image.id)).size, 1)
  assert.equal(registry.requests.filter(request => request.endsWith(layer)).length, 1)
})

test('a layer that two images share is fetched once, also at the same time', options, async context => {
  const shared = [file('shared', randomBytes(1000))]
  const images = { v1: makeImage([shared, [file('a', '1')]]), v2: makeImage([shared, [file('b', '2')]]) }
  const { store, registry } = await start(context, { images: { x: images } })
  await Promise.all(['v1', 'v2'].map(tag => store.pull(`${registry.host}/x:${tag}`)))
  const digest = images.v1.layerDigests[0]!
  assert.equal(registry.requests.filter(request => request.endsWith(digest)).length, 1)
  assert.equal(store.fsInfo().inodes, 3)
})

test('one of two joined pulls can give up, the other goes on', options, async context => {
  let release = () => {}
  const { store, name } = await start(context, {
    onBlob(digest, content, _request, response) {
      if (digest !== layer) return false
      release = () => response.end(content)
      return true
    },
  })
  const abort = new AbortController()
  const impatient = store.pull(name, { signal: abort.signal })
  const patient = store.pull(name)
  await new Promise(resolve => setTimeout(resolve, 150))
  abort.abort(new Error('no more patience'))
  await assert.rejects(impatient, { message: 'no more patience' })
  release()
  assert.equal((await patient).id, image.configDigest)
})

test('a pull that everybody gave up leaves nothing behind', options, async context => {
  const { store, name, directory } = await start(context, {
    onBlob: digest => digest === layer,
  })
  const pull = store.pull(name, { signal: AbortSignal.timeout(150) })
  await assert.rejects(pull, { name: 'TimeoutError' })
  await store.close()
  assert.deepEqual(readdirSync(path.join(directory, 'ingest')), [])
})

test('a registry that cannot be reached is named with the reason', options, async context => {
  const { store, registry, name } = await start(context)
  await registry.close()
  await assert.rejects(store.pull(name), {
    kind: 'Unavailable',
    message: `failed to pull and unpack image "${name}": failed to resolve reference "${name}": failed to do request: Head "http://${registry.host}/v2/x/manifests/v1": dial tcp ${registry.host}: connect: connection refused`,
  })
})
