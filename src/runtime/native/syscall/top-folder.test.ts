import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { makeTopFolder } from './top-folder.ts'

const root = mkdtempSync(join(tmpdir(), 'top-folder-'))
after(() => rmSync(root, { recursive: true }))

const EXT4 = 0xef53

test('a top folder is made with its parents, once or twice', () => {
  const path = join(root, 'a', 'b')
  for (let time = 0; time < 2; time++) makeTopFolder(path, 0o750)
  assert.equal(statSync(path).mode & 0o777, 0o750)
})

test('ext4 spreads the folders of a top folder', t => {
  if (statfsSync(root).type !== EXT4) return t.skip('this needs an ext4')
  const path = join(root, 'spread')
  makeTopFolder(path, 0o750)
  const flags = execFileSync('lsattr', ['-d', path], { encoding: 'utf8' }).split(' ')[0]!
  assert.match(flags, /T/)
})

test('a file system that knows no such thing has the folder all the same', () => {
  const path = join('/dev/shm', `top-folder-${process.pid}`)
  makeTopFolder(path, 0o700)
  assert.equal(statSync(path).isDirectory(), true)
  rmSync(path, { recursive: true })
})
