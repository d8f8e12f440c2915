import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import { copyOutput } from './copy-stream.ts'

function slowTarget(): Writable & { text: () => string } {
  let text = ''
  const target = new Writable({
    highWaterMark: 4,
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      setImmediate(done)
    },
  })
  return Object.assign(target, { text: () => text })
}

test('everything is copied, however slow the target, and the target is ended', async () => {
  const target = slowTarget()
  await copyOutput(Readable.from([Buffer.from('one '), Buffer.from('two '), Buffer.from('three')]), target)
  assert.equal(target.text(), 'one two three')
  assert.ok(target.writableFinished)
})

for (const [what, error] of Object.entries({
  'a terminal that nobody holds any more': Object.assign(new Error('read EIO'), { code: 'EIO' }),
  'a source that was let go': undefined,
})) {
  test(`${what} has ended: what it said before is copied`, async () => {
    const source = new PassThrough()
    const target = slowTarget()
    source.write('last words')
    const copied = copyOutput(source, target)
    await new Promise(resolve => setTimeout(resolve, 10))
    source.destroy(error)
    await copied
    assert.equal(target.text(), 'last words')
    assert.ok(target.writableFinished)
  })
}

test('a target that goes away ends the copying, though the source goes on', async () => {
  const target = slowTarget()
  const source = Readable.from(
    (function* () {
      for (;;) yield Buffer.from('more and more')
    })(),
  )
  const copied = copyOutput(source, target)
  await once(target, 'drain')
  target.destroy()
  await copied
  assert.ok(source.destroyed)
})

test('other failures of the source are told', async () => {
  const source = new PassThrough()
  const copied = copyOutput(source, slowTarget())
  source.destroy(new Error('broken'))
  await assert.rejects(copied, /broken/)
})

test('without a target the source is read to its end', async () => {
  const source = Readable.from([Buffer.alloc(200_000)])
  await copyOutput(source, undefined)
  assert.ok(source.readableEnded)
})
