import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeProjection } from './atomic-writer.ts'
import { openSubPath, readFileInside } from './safe-sub-path.ts'

const dir = mkdtempSync(join(tmpdir(), 'volumes-'))
test.after(() => rmSync(dir, { recursive: true }))

const file = (text: string, mode = 0o644) => ({ data: Buffer.from(text), mode })

test('projected files are exchanged all at once behind ..data', () => {
  const volume = join(dir, 'atomic')
  assert.equal(
    writeProjection(
      volume,
      new Map([
        ['a', file('1')],
        ['sub/b', file('2', 0o600)],
      ]),
      0,
    ),
    true,
  )
  const first = readlinkSync(join(volume, '..data'))
  assert.equal(readFileSync(join(volume, 'a'), 'utf8'), '1')
  assert.equal(readFileSync(join(volume, 'sub/b'), 'utf8'), '2')
  assert.equal(statSync(join(volume, 'sub/b')).mode & 0o777, 0o600)
  assert.equal(
    writeProjection(
      volume,
      new Map([
        ['a', file('1')],
        ['sub/b', file('2', 0o600)],
      ]),
      1000,
    ),
    false,
  )
  assert.equal(writeProjection(volume, new Map([['a', file('3')]]), 2000), true)
  assert.notEqual(readlinkSync(join(volume, '..data')), first)
  assert.equal(readFileSync(join(volume, 'a'), 'utf8'), '3')
  assert.deepEqual(
    readdirSync(volume).filter(name => !name.startsWith('..')),
    ['a'],
  )
  assert.equal(existsSync(join(volume, first)), false)
})

test('what a killed program left half exchanged does not stop the next one', () => {
  const volume = join(dir, 'half')
  mkdirSync(volume)
  symlinkSync('..nowhere', join(volume, '..data_tmp'))
  assert.equal(writeProjection(volume, new Map([['a', file('1')]]), 0), true)
  assert.equal(readFileSync(join(volume, 'a'), 'utf8'), '1')
})

test('a projected path may not leave its volume', () => {
  assert.throws(() => writeProjection(join(dir, 'bad'), new Map([['../x', file('1')]]), 0), /invalid path/)
})

const openedAt = async (volume: string, path: string) => {
  const fd = await openSubPath(volume, path)
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
  }
}

test('a sub path is made when it is missing, and opened when it is there', async () => {
  const volume = join(dir, 'sub')
  mkdirSync(volume)
  assert.equal(await openedAt(volume, 'x/y'), join(volume, 'x/y'))
  writeFileSync(join(volume, 'x/file'), 'text')
  assert.equal(await openedAt(volume, 'x/file'), join(volume, 'x/file'))
})

test('a sub path of a projected volume leads through its links to the file', async () => {
  const volume = join(dir, 'projected-sub')
  writeProjection(volume, new Map([['key', { data: Buffer.from('x'), mode: 0o644 }]]), 0)
  const opened = await openedAt(volume, 'key')
  assert.match(opened, /\/projected-sub\/\.\.1970_01_01[^/]+\/key$/)
})

test('a link inside the volume is followed, a link out of it is refused', async () => {
  const volume = join(dir, 'links')
  mkdirSync(join(volume, 'real'), { recursive: true })
  symlinkSync('real', join(volume, 'inside'))
  symlinkSync('/etc', join(volume, 'outside'))
  assert.equal(await openedAt(volume, 'inside'), join(volume, 'real'))
  await assert.rejects(openedAt(volume, 'outside/passwd'), /not within volume path/)
  await assert.rejects(openedAt(volume, 'outside/new/dir'), /not within volume path/)
  await assert.rejects(openedAt(volume, '../links'), /must not contain/)
})

test('a file of a volume is read, links inside it followed, and nothing outside it', async () => {
  const volume = join(dir, 'files')
  mkdirSync(join(volume, 'folder'), { recursive: true })
  writeFileSync(join(volume, 'folder/app.env'), 'A=1')
  symlinkSync('folder/app.env', join(volume, 'inside'))
  symlinkSync('/etc/hostname', join(volume, 'outside'))
  assert.equal(await readFileInside(volume, 'folder/app.env'), 'A=1')
  assert.equal(await readFileInside(volume, 'inside'), 'A=1')
  assert.equal(await readFileInside(volume, 'none'), undefined)
  await assert.rejects(readFileInside(volume, 'outside'), /"outside" is not within its volume/)
  await assert.rejects(readFileInside(volume, 'folder'), /"folder" is not a file/)
})
