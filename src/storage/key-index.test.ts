import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeyIndex } from './key-index.ts'

test('an index of any history answers like a sorted list of its keys', () => {
  const key = fc.string({ unit: fc.constantFrom('/', 'a', 'b', '\uffff', '0'), maxLength: 5 })
  const edit = fc.record({ key, add: fc.boolean() })
  const question = fc.record({
    prefix: key,
    after: fc.option(key, { nil: undefined }),
    limit: fc.integer({ min: 1, max: 5 }),
  })
  fc.assert(
    fc.property(
      fc.array(key),
      fc.array(edit, { maxLength: 60 }),
      fc.array(question),
      (start, edits, questions) => {
        const keys = new Set(start)
        const index = new KeyIndex([...keys].map(name => ({ key: name })))
        for (const { key: name, add } of edits) {
          if (add) index.set({ key: name })
          else assert.equal(index.delete(name), keys.has(name))
          if (add) keys.add(name)
          else keys.delete(name)
        }
        const sorted = [...keys].sort()
        for (const { prefix, after, limit } of questions) {
          const expected = sorted.filter(
            name => name.startsWith(prefix) && (after === undefined || name > after),
          )
          assert.deepEqual(
            index.slice(prefix, after).map(item => item.key),
            expected,
          )
          assert.deepEqual(
            index.slice(prefix, after, limit).map(item => item.key),
            expected.slice(0, limit),
          )
          assert.equal(index.count(prefix, after), expected.length)
        }
      },
    ),
  )
})

test('chunks split as keys arrive in any order, and stay in order', () => {
  const index = new KeyIndex<{ key: string }>()
  const keys = Array.from({ length: 5_000 }, (_, i) => `/pods/${(i * 7919) % 5_000}`)
  for (const key of keys) index.set({ key })
  assert.deepEqual(
    index.slice('/pods/').map(({ key }) => key),
    [...keys].sort(),
  )
  for (const key of keys.filter((_, i) => i % 3 > 0)) index.delete(key)
  const left = keys.filter((_, i) => i % 3 === 0).sort()
  assert.deepEqual(
    index.slice('').map(({ key }) => key),
    left,
  )
  assert.equal(index.count('/pods/1'), left.filter(key => key.startsWith('/pods/1')).length)
})
