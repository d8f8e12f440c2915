import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeBlockNode } from './libc.ts'
import { attachLoop, detachLoop, detachLoops, findLoop, refreshLoop } from './loop-device.ts'

const dir = mkdtempSync(join(tmpdir(), 'loop-'))
const cluster = `unit${process.pid}`
test.after(() => {
  detachLoops(cluster)
  rmSync(dir, { recursive: true })
})

const MI = 2 ** 20

/** Bytes of the device, found as a program finds them: by reading to its end. */
function readAll(node: string): Buffer {
  const fd = openSync(node, 'r')
  try {
    const buffer = Buffer.alloc(16 * MI)
    let length = 0
    for (;;) {
      const count = readSync(fd, buffer, length, buffer.length - length, length)
      if (count === 0) return buffer.subarray(0, length)
      length += count
    }
  } finally {
    closeSync(fd)
  }
}

test('a file is shown by one device, grows with it, and the device is gone when it is given back', () => {
  const file = join(dir, 'disk')
  writeFileSync(file, Buffer.alloc(MI, 'x'))
  const node = attachLoop(cluster, 'pvc-1', file)
  assert.match(node, new RegExp(`^/dev/kubernode-${cluster}-loop\\d+$`))
  assert.equal(attachLoop(cluster, 'pvc-1', file), node)
  assert.equal(findLoop(cluster, file), node)
  assert.equal(readAll(node).toString('latin1'), 'x'.repeat(MI))
  truncateSync(file, 2 * MI)
  refreshLoop(node)
  assert.equal(readAll(node).length, 2 * MI)
  detachLoop(cluster, node)
  assert.equal(existsSync(node), false)
  assert.equal(findLoop(cluster, file), undefined)
})

test('another cluster’s devices stay when everything of one is taken away', () => {
  const [mine, theirs] = [join(dir, 'mine'), join(dir, 'theirs')]
  for (const file of [mine, theirs]) writeFileSync(file, Buffer.alloc(MI))
  const other = `${cluster}b`
  try {
    attachLoop(cluster, 'pvc-2', mine)
    const kept = attachLoop(other, 'pvc-2', theirs)
    detachLoops(cluster)
    assert.equal(findLoop(cluster, mine), undefined)
    assert.equal(findLoop(other, theirs), kept)
    // A node of ours that points at a device which is theirs by now is removed, and nothing else.
    const stale = `/dev/kubernode-${cluster}-loop${/\d+$/.exec(kept)![0]}`
    makeBlockNode(stale, 0o600, { major: 7, minor: Number(/\d+$/.exec(kept)![0]) })
    detachLoops(cluster)
    assert.equal(existsSync(stale), false)
    assert.equal(readAll(kept).length, MI)
  } finally {
    detachLoops(other)
  }
})

test('what is no device of the cluster is left alone', () => {
  const file = join(dir, 'no-device')
  writeFileSync(file, 'x')
  detachLoop(cluster, file)
  detachLoop(cluster, '/dev/null')
  assert.ok(existsSync(file) && existsSync('/dev/null'))
})
