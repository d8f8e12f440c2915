import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { NEEDS_ROOT, scratchDirectory } from './test-support/scratch-store.ts'
import { directory, file, hardLink, symlink, type TarEntry, tarOf } from './test-support/tar-writer.ts'
import { digestOf } from './test-support/test-image.ts'
import { unpackLayer } from './unpack-layer.ts'

const options = { skip: NEEDS_ROOT }

async function unpack(context: TestContext, content: Buffer) {
  const around = scratchDirectory(context)
  const root = path.join(around, 'root')
  mkdirSync(root)
  const result = await unpackLayer(Readable.from(chunks(content)), root)
  return { root, around, result }
}

/** Cut where no block ends. */
function* chunks(content: Buffer) {
  for (let at = 0; at < content.length; at += 700) yield content.subarray(at, at + 700)
}

const isWhiteout = (file: string) => lstatSync(file).isCharacterDevice() && lstatSync(file).rdev === 0
const isOpaque = (directory: string) =>
  execFileSync('tar', ['--xattrs', '--xattrs-include=*', '--no-recursion', '-C', directory, '-cf', '-', '.'])
    .toString('latin1')
    .includes('trusted.overlay.opaque=y')

for (const [name, compress] of Object.entries({
  plain: (tar: Buffer) => tar,
  gzip: (tar: Buffer) => gzipSync(tar),
  zstd: (tar: Buffer) => zstdCompressSync(tar),
})) {
  test(`a ${name} layer keeps contents, modes, owners and links`, options, async context => {
    const tar = tarOf([
      directory('etc', { mode: 0o750, uid: 7, gid: 8 }),
      file('etc/motd', 'hello', { mode: 0o4711, uid: 12, gid: 34 }),
      hardLink('etc/same', 'etc/motd'),
      symlink('etc/absolute', '/etc/motd'),
      symlink('up', '../../outside'),
    ])
    const { root, result } = await unpack(context, compress(tar))
    const motd = lstatSync(path.join(root, 'etc/motd'))
    assert.equal(readFileSync(path.join(root, 'etc/motd'), 'utf8'), 'hello')
    assert.deepEqual([motd.mode & 0o7777, motd.uid, motd.gid, motd.nlink], [0o4711, 12, 34, 2])
    assert.equal(motd.mtimeMs, 1_000_000_000)
    assert.equal(lstatSync(path.join(root, 'etc/same')).ino, motd.ino)
    assert.equal(readlinkSync(path.join(root, 'etc/absolute')), '/etc/motd')
    assert.equal(readlinkSync(path.join(root, 'up')), '../../outside')
    assert.equal(lstatSync(path.join(root, 'etc')).mode & 0o7777, 0o750)
    assert.deepEqual(result, { diffId: digestOf(tar), bytes: 5, inodes: 5 })
  })
}

test('whiteouts become character devices and opaque directories', options, async context => {
  const { root, result } = await unpack(
    context,
    tarOf([
      directory('a', { mtime: 500 }),
      file('a/.wh.gone'),
      file('.wh.top'),
      directory('b'),
      file('b/.wh..wh..opq'),
      file('b/new', 'x'),
      file('a/.wh.replaced'),
      file('a/replaced', 'again'),
      file('.wh..wh.plnk/1', ''),
    ]),
  )
  assert.ok(isWhiteout(path.join(root, 'a/gone')))
  assert.ok(isWhiteout(path.join(root, 'top')))
  assert.ok(isOpaque(path.join(root, 'b')))
  assert.equal(readFileSync(path.join(root, 'a/replaced'), 'utf8'), 'again')
  assert.equal(lstatSync(path.join(root, 'a')).mtimeMs, 500_000)
  assert.ok(!readdirSync(path.join(root, 'a')).some(name => name.startsWith('.wh.')))
  assert.ok(!existsSync(path.join(root, 'b/.wh..wh..opq')))
  assert.equal(result.bytes, 'x'.length + 'again'.length)
})

test('a directory that a layer deletes and makes again hides what was in it', options, async context => {
  const { root } = await unpack(context, tarOf([file('.wh.d'), directory('d'), file('d/new', '1')]))
  assert.ok(isOpaque(path.join(root, 'd')))
  assert.equal(readFileSync(path.join(root, 'd/new'), 'utf8'), '1')
})

test('overlay hides through layers what the whiteouts say', options, async context => {
  const lower = await unpack(
    context,
    tarOf([directory('d'), file('d/old', '1'), file('gone', '1'), file('kept', '1')]),
  )
  const upper = await unpack(
    context,
    tarOf([file('.wh.gone'), directory('d'), file('d/.wh..wh..opq'), file('d/new', '2')]),
  )
  const merged = path.join(lower.around, 'merged')
  mkdirSync(merged)
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `ro,lowerdir=${upper.root}:${lower.root}`, merged])
  try {
    assert.deepEqual(readdirSync(merged).sort(), ['d', 'kept'])
    assert.deepEqual(readdirSync(path.join(merged, 'd')), ['new'])
  } finally {
    execFileSync('umount', [merged])
  }
})

test('long names from extended headers are understood', options, async context => {
  const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}`
  const { root } = await unpack(context, tarOf([file('short', 'content', { pax: { path: long } })]))
  assert.equal(readFileSync(path.join(root, long), 'utf8'), 'content')
})

test('extended attributes are kept, those of overlay are not taken from an image', options, async context => {
  const pax = { 'SCHILY.xattr.user.colour': 'blue', 'SCHILY.xattr.trusted.overlay.opaque': 'y' }
  const { root } = await unpack(context, tarOf([directory('d', { pax })]))
  assert.ok(!isOpaque(path.join(root, 'd')))
  const again = execFileSync('tar', ['--xattrs', '--xattrs-include=*', '-C', root, '-cf', '-', 'd']).toString(
    'latin1',
  )
  assert.match(again, /SCHILY\.xattr\.user\.colour=blue/)
})

test('an archive without a trailer is taken as it is', options, async context => {
  const { root } = await unpack(context, tarOf([file('a', '1')], { trailer: false }))
  assert.equal(readFileSync(path.join(root, 'a'), 'utf8'), '1')
})

test('an empty layer is fine', options, async context => {
  const { root, result } = await unpack(context, gzipSync(tarOf([])))
  assert.deepEqual(readdirSync(root), [])
  assert.equal(result.inodes, 0)
})

const malicious: Record<string, TarEntry[]> = {
  'a path with ..': [file('../escaped', 'x')],
  'a path with .. inside': [directory('a'), file('a/../../escaped', 'x')],
  'a .. hidden in an extended header': [file('harmless', 'x', { pax: { path: '../escaped' } })],
  'a hard link to outside': [hardLink('link', '../victim')],
  'a file through an absolute link': [symlink('out', 'AROUND'), file('out/escaped', 'x')],
  'a file through a link with ..': [symlink('out', '..'), file('out/escaped', 'x')],
  'a whiteout through a link': [symlink('out', '..'), file('out/.wh.victim')],
  'a whiteout of the parent': [directory('a'), file('a/.wh...')],
  'a whiteout with .. in its path': [file('a/../../.wh.victim')],
}

for (const [what, entries] of Object.entries(malicious)) {
  test(`${what} is refused and nothing outside is touched`, options, async context => {
    const around = scratchDirectory(context)
    writeFileSync(path.join(around, 'victim'), 'untouched')
    const root = path.join(around, 'root')
    mkdirSync(root)
    const aimed = entries.map(entry => (entry.link === 'AROUND' ? { ...entry, link: around } : entry))
    await assert.rejects(unpackLayer(Readable.from([tarOf(aimed)]), root), {
      name: 'ImageError',
      kind: 'Invalid',
    })
    assert.deepEqual(readdirSync(around).sort(), ['root', 'victim'])
    assert.equal(readFileSync(path.join(around, 'victim'), 'utf8'), 'untouched')
    assert.equal(lstatSync(path.join(around, 'victim')).nlink, 1)
  })
}

test('an absolute path lands inside the layer', options, async context => {
  const { root } = await unpack(context, tarOf([file('/etc-kubernode-test', 'x')]))
  assert.deepEqual(readdirSync(root), ['etc-kubernode-test'])
  assert.ok(!existsSync('/etc-kubernode-test'))
})

for (const [what, content] of Object.entries({
  'no tar': Buffer.alloc(2048, 'x'),
  'a cut gzip stream': gzipSync(tarOf([file('a', Buffer.alloc(50_000, 'y'))])).subarray(0, 60),
  'a cut tar': tarOf([file('a', Buffer.alloc(50_000, 'y'))]).subarray(0, 4000),
})) {
  test(`${what} is refused`, options, async context => {
    await assert.rejects(unpack(context, content), { name: 'ImageError' })
  })
}

test('unpacking stops when it is aborted', options, async context => {
  const abort = new AbortController()
  const root = scratchDirectory(context)
  const endless = Readable.from(
    (async function* () {
      yield tarOf([file('a', '1')], { trailer: false })
      abort.abort(new Error('enough'))
      await new Promise(resolve => setImmediate(resolve))
      yield Buffer.alloc(512)
    })(),
  )
  await assert.rejects(unpackLayer(endless, root, abort.signal), { message: 'enough' })
})

test(
  'padding behind the end of the archive, which tar does not read, is no failure',
  options,
  async context => {
    const archive = tarOf([file('hello', 'world')])
    const padded = Buffer.concat([archive, Buffer.alloc(300_000)])
    const { root, result } = await unpack(context, padded)
    assert.equal(result.diffId, digestOf(padded))
    assert.equal(readFileSync(path.join(root, 'hello'), 'utf8'), 'world')
  },
)
