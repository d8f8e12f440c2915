import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { cgroupFolders, cgroupsBelow, removeCgroup } from './cgroup-tree.ts'

const mount = mkdtempSync(join(tmpdir(), 'cgroup-tree-'))
after(() => rmSync(mount, { recursive: true }))

test('a group is found in every hierarchy that has it, and removed from the leaves up', () => {
  for (const folder of ['cpu/a/b/c', 'memory/a/b', 'pids/a'])
    mkdirSync(join(mount, folder), { recursive: true })
  assert.deepEqual(cgroupFolders('/a/b', mount), [join(mount, 'cpu/a/b'), join(mount, 'memory/a/b')])
  assert.deepEqual(cgroupsBelow(join(mount, 'cpu/a')), [
    join(mount, 'cpu/a/b/c'),
    join(mount, 'cpu/a/b'),
    join(mount, 'cpu/a'),
  ])
  assert.equal(removeCgroup('/a/b', mount), true)
  assert.deepEqual(cgroupFolders('/a/b', mount), [])
  assert.equal(existsSync(join(mount, 'pids/a')), true)
  assert.equal(removeCgroup('/a/b', mount), true, 'what is gone is removed')
})

test('a group that is in use stays, and that is told', () => {
  mkdirSync(join(mount, 'cpu/busy'), { recursive: true })
  // As a process in it does, a file keeps rmdir from going on.
  writeFileSync(join(mount, 'cpu/busy/process'), '')
  assert.equal(removeCgroup('/busy', mount), false)
})
