import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DiskRoom } from './disk-room.ts'

const dir = mkdtempSync(join(tmpdir(), 'disk-room-'))
test.after(() => rmSync(dir, { recursive: true }))

function withRoom(work: (room: DiskRoom, file: string) => void): void {
  const file = join(dir, 'data')
  writeFileSync(file, 'x')
  const room = new DiskRoom(file)
  try {
    work(room, file)
  } finally {
    room.close()
  }
}

test('room is kept behind the end of the file, whose size stays', () =>
  withRoom((room, file) => {
    room.take(1_000_000)
    const { size, blocks } = statSync(file)
    assert.equal(size, 1)
    assert.ok(blocks * 512 >= 4_000_000, String(blocks))
  }))

test('a record that cannot fit is refused in a sentence, and others are taken afterwards', () =>
  withRoom(room => {
    const { bavail, bsize } = statfsSync(dir)
    const tooMuch = bavail * bsize
    assert.throws(() => room.take(tooMuch), {
      message: `Internal error occurred: the disk of ${dir} is full: nothing can be written until there is room again`,
    })
    assert.equal(room.tryTake(tooMuch), false)
    room.take(1_000)
  }))
