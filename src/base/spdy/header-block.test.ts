import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, deflateSync } from 'node:zlib'
import { decodeHeaders, encodeHeaders, HeaderPacker, HeaderUnpacker } from './header-block.ts'
import { headerDictionary } from './header-dictionary.ts'

test('what was packed is unpacked, block after block of one connection', async () => {
  const packer = new HeaderPacker()
  const unpacker = new HeaderUnpacker()
  const blocks: Record<string, string>[] = [
    { streamtype: 'error' },
    {},
    { streamtype: 'data', port: '8080', requestid: '0' },
  ]
  for (const headers of blocks) {
    assert.deepEqual(await unpacker.unpack(packer.pack(headers)), headers)
  }
  unpacker.close()
})

test('blocks that lean on the dictionary of the protocol are understood', async () => {
  const block = encodeHeaders({ 'Content-Type': 'text/plain', version: 'HTTP/1.1' })
  const packed = deflateSync(block, { dictionary: headerDictionary, finishFlush: constants.Z_SYNC_FLUSH })
  const unpacker = new HeaderUnpacker()
  assert.deepEqual(await unpacker.unpack(packed), { 'content-type': 'text/plain', version: 'HTTP/1.1' })
  unpacker.close()
})

test('the dictionary is the one of the protocol: its length and its checksum as zlib sees it', () => {
  assert.equal(headerDictionary.length, 1423)
  // The Adler-32 of the dictionary stands behind the header of a zlib stream that uses it (RFC 1950, 2.2).
  const packed = deflateSync(Buffer.from('x'), { dictionary: headerDictionary })
  assert.equal(packed.readUInt32BE(2).toString(16), 'e3c6a7c2')
})

test('names come in lower case, several values of one name stay joined', () => {
  const block = encodeHeaders({ StreamType: 'stdin', many: 'a\0b' })
  assert.deepEqual(decodeHeaders(block), { streamtype: 'stdin', many: 'a\0b' })
})

const broken: Record<string, Buffer> = {
  'a count without headers': Buffer.from([0, 0, 0, 2]),
  'a name longer than the block': Buffer.from([0, 0, 0, 1, 0, 0, 1, 0, 65]),
  'nothing at all': Buffer.alloc(0),
}
for (const [what, block] of Object.entries(broken)) {
  test(`${what} is no block`, () => {
    assert.throws(() => decodeHeaders(block), /ends too early/)
  })
}

test('a small block that unpacks to very much is refused', async () => {
  const packed = deflateSync(Buffer.alloc(1_000_000), {
    dictionary: headerDictionary,
    finishFlush: constants.Z_SYNC_FLUSH,
  })
  const unpacker = new HeaderUnpacker()
  await assert.rejects(unpacker.unpack(packed), /too large/)
  unpacker.close()
})
