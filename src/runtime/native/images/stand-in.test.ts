import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ImageError } from './image-error.ts'
import { standsIn } from './stand-in.ts'

const vendor = (name: string) => ({ config: { Labels: { 'org.opencontainers.image.vendor': name } } })
const own = vendor('Kubernode, from Debian packages')
const unreachable = new ImageError('Unavailable', 'no such host')

test('an image of the set-up stands in for a registry that cannot be reached', () => {
  assert.equal(standsIn(own, unreachable), true)
})

test('a registry that answers no is believed', () => {
  assert.equal(standsIn(own, new ImageError('NotFound', 'not found')), false)
  assert.equal(standsIn(own, new ImageError('Denied', 'denied')), false)
})

test('no other image stands in for its registry', () => {
  for (const image of [undefined, { config: {} }, vendor('somebody else')])
    assert.equal(standsIn(image, unreachable), false)
})
