import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeData } from './remove-data.ts'

const dataDir = () => {
  const path = mkdtempSync(join(tmpdir(), 'remove-data-'))
  mkdirSync(join(path, 'store'))
  writeFileSync(join(path, 'store', 'data'), 'x')
  return path
}

test('the directory goes with all that is in it, and need not be there', () => {
  const path = dataDir()
  removeData(path)
  assert.equal(existsSync(path), false)
  removeData(path)
})

test('one on which a disk is mounted is emptied and stays', () => {
  const path = dataDir()
  execFileSync('mount', ['--bind', path, path])
  try {
    removeData(path)
    assert.deepEqual(readdirSync(path), [])
  } finally {
    execFileSync('umount', [path])
  }
  removeData(path)
})

test('what cannot be removed is told', () => {
  const path = dataDir()
  execFileSync('mount', ['--bind', join(path, 'store'), join(path, 'store')])
  try {
    assert.throws(() => removeData(path), /busy/)
  } finally {
    execFileSync('umount', [join(path, 'store')])
  }
  removeData(path)
})
