import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataFrames, FRAME, FrameParser, numbersFrame, type SpdyFrame, synStreamFrame } from './frame.ts'

const data = (streamId: number, text: string, fin: boolean) =>
  Buffer.concat([...dataFrames(streamId, Buffer.from(text), fin)])

/** Every frame of the pieces, data of one frame joined again. */
function parse(pieces: readonly Buffer[]): unknown[] {
  const parser = new FrameParser()
  const frames: SpdyFrame[] = pieces.flatMap(piece => [...parser.frames(piece)])
  const joined: { streamId: number; text: string; fin: boolean }[] = []
  return frames
    .map(frame => {
      if (frame.kind === 'control') return { type: frame.type, flags: frame.flags, bytes: [...frame.payload] }
      const open = joined.at(-1)
      if (open && !open.fin && open.streamId === frame.streamId) {
        open.text += frame.chunk.toString()
        open.fin = frame.fin
        return undefined
      }
      joined.push({ streamId: frame.streamId, text: frame.chunk.toString(), fin: frame.fin })
      return joined.at(-1)
    })
    .filter(frame => frame !== undefined)
}

const bytes = Buffer.concat([
  synStreamFrame(1, Buffer.from([7, 7]), false),
  data(1, 'hello, ', false),
  data(1, 'world', true),
  numbersFrame(FRAME.ping, 3),
  data(3, '', true),
])
const frames = [
  { type: FRAME.synStream, flags: 0, bytes: [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, 7] },
  { streamId: 1, text: 'hello, world', fin: true },
  { type: FRAME.ping, flags: 0, bytes: [0, 0, 0, 3] },
  { streamId: 3, text: '', fin: true },
]

test('frames come out as they went in, wherever the bytes are cut', () => {
  for (let size = 1; size <= bytes.length; size++) {
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
    assert.deepEqual(parse(pieces), frames, `pieces of ${size} bytes`)
  }
})

test('a large chunk goes out in frames of at most 64 KiB, the last one with the end', () => {
  const pieces = [...dataFrames(5, Buffer.alloc(150_000), true)]
  const heads = pieces.filter(piece => piece.length === 8)
  assert.deepEqual(
    heads.map(head => [head.readUInt32BE(0), head[4], head.readUInt32BE(4) & 0xffffff]),
    [
      [5, 0, 65_536],
      [5, 0, 65_536],
      [5, 1, 18_928],
    ],
  )
})

test('data is handed on before its frame is complete', () => {
  const parser = new FrameParser()
  const whole = data(1, 'abcdef', true)
  assert.deepEqual(
    [...parser.frames(whole.subarray(0, 10))],
    [{ kind: 'data', streamId: 1, chunk: Buffer.from('ab'), fin: false }],
  )
})

test('the reserved bit of a stream number of a data frame is what tells it from a control frame', () => {
  assert.throws(
    () => [...new FrameParser().frames(Buffer.from([0x80, 4, 0, 0, 0, 0, 0, 0]))],
    /SPDY version 4 is not spoken here/,
  )
})
