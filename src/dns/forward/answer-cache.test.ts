import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../base/manual-clock.ts'
import { type Answer, failure } from '../server/answer.ts'
import { lines, question } from '../testing/query.fixture.ts'
import { RCODE } from '../wire/record-types.ts'
import { addressRecord, soaRecord } from '../wire/records.ts'
import { AnswerCache, cacheKey, keepSeconds } from './answer-cache.ts'

const soa = (ttl: number, minimum: number) =>
  soaRecord('x', { primary: 'n', mailbox: 'm', serial: 1, refresh: 1, retry: 1, expire: 1, minimum }, ttl)
const found = (...ttls: number[]): Answer => ({
  ...failure(RCODE.noError),
  answers: ttls.map(ttl => addressRecord('a.x', '192.0.2.1', ttl)),
})

const keeps: Record<string, [Answer, number]> = {
  'an answer is kept as long as its shortest record': [found(300, 60), 60],
  'an answer is kept for an hour at most': [found(86_400), 3600],
  'an answer that says 0 is not kept': [found(0), 0],
  'a denial is kept as long as its SOA says': [
    { ...failure(RCODE.nameError), authorities: [soa(60, 30)] },
    30,
  ],
  'a denial is kept for half an hour at most': [
    { ...failure(RCODE.noError), authorities: [soa(9999, 9999)] },
    1800,
  ],
  'a denial without an SOA is not kept': [failure(RCODE.nameError), 0],
  'an alias to a name that is not there is kept as long as both': [
    { ...found(20), rcode: RCODE.nameError, authorities: [soa(60, 30)] },
    20,
  ],
  'a failure is not kept': [{ ...found(60), rcode: RCODE.serverFailure }, 0],
}
for (const [what, [answer, seconds]] of Object.entries(keeps)) {
  test(what, () => assert.equal(keepSeconds(answer), seconds))
}

test('records grow older in the cache and go when their time is over', async () => {
  const clock = new ManualClock(1_000)
  const cache = new AnswerCache(clock)
  cache.store('k', found(60))
  await clock.advance(20_000)
  assert.deepEqual(lines(cache.find('k')!.answers), ['a.x 40 A 192.0.2.1'])
  await clock.advance(39_999)
  assert.deepEqual(lines(cache.find('k')!.answers), ['a.x 1 A 192.0.2.1'])
  await clock.advance(1)
  assert.equal(cache.find('k'), undefined)
  assert.equal(cache.size, 0)
})

test('what was not asked for the longest goes first when it is full', () => {
  const cache = new AnswerCache(new ManualClock(1_000))
  for (let index = 0; index < 10_000; index++) cache.store(String(index), found(60))
  cache.find('0')
  cache.store('one more', found(60))
  assert.equal(cache.size, 10_000)
  assert.ok(cache.find('0'))
  assert.equal(cache.find('1'), undefined)
})

test('the case of a name makes no other question, the wish for signatures does', () => {
  const plain = { dnssecOk: false, checkingDisabled: false }
  const key = cacheKey(question('A.x', 'a'), plain)
  assert.equal(key, cacheKey(question('a.X', 'a'), plain))
  assert.notEqual(key, cacheKey(question('a.x', 'aaaa'), plain))
  assert.notEqual(key, cacheKey(question('a.x', 'a'), { ...plain, dnssecOk: true }))
})
