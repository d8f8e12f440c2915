import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { cpioArchive, FILE, FOLDER } from './cpio.ts'

test('another program unpacks the archive as it was meant', () => {
  const archive = cpioArchive([
    { path: 'bin', mode: FOLDER | 0o755 },
    { path: 'bin/tool', mode: FILE | 0o751, content: Buffer.from('odd') },
    { path: 'empty', mode: FILE | 0o600 },
  ])
  assert.equal(archive.length % 4, 0)
  const folder = mkdtempSync(join(tmpdir(), 'cpio-'))
  try {
    execFileSync('busybox', ['cpio', '-i'], {
      cwd: folder,
      input: archive,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    assert.equal(readFileSync(join(folder, 'bin/tool'), 'utf8'), 'odd')
    assert.equal(statSync(join(folder, 'bin/tool')).mode & 0o7777, 0o751)
    assert.equal(statSync(join(folder, 'empty')).size, 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
