import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventName, microTimeOf, referenceTo, timeOf, UniqueNanos } from './subject.ts'

test('a reference names the object and the version that was looked at', () => {
  const metadata = { name: 'web', namespace: 'a', uid: 'u', resourceVersion: '5', creationTimestamp: '' }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata }
  const expected = {
    kind: 'Pod',
    namespace: 'a',
    name: 'web',
    uid: 'u',
    apiVersion: 'v1',
    resourceVersion: '5',
  }
  assert.deepEqual(referenceTo(pod), expected)
  assert.deepEqual(referenceTo(pod, 'spec.containers{web}'), {
    ...expected,
    fieldPath: 'spec.containers{web}',
  })
  assert.deepEqual(referenceTo(expected), expected)
})

test('an event is called after its object and the time, or by a UUID where that is no name', () => {
  assert.equal(eventName('web', 0x17af_0000n), 'web.17af0000')
  for (const odd of ['Web_1', 'x'.repeat(252), ''])
    assert.match(eventName(odd, 1n), /^[0-9a-f]{8}-[0-9a-f-]{27}$/)
})

test('nanoseconds never repeat within a millisecond or when the clock stands still', () => {
  const nanos = new UniqueNanos(0)
  assert.deepEqual(
    [nanos.next(5), nanos.next(5), nanos.next(4), nanos.next(6)],
    [5_000_000n, 5_000_001n, 5_000_002n, 6_000_000n],
  )
})

test('two parts that tell of an object in the same millisecond name their events differently', () => {
  const [one, other] = [new UniqueNanos(0.25), new UniqueNanos(0.5)]
  assert.deepEqual([one.next(5), other.next(5)], [5_250_000n, 5_500_000n])
})

test('times are written as the API writes them', () => {
  assert.equal(timeOf(1_700_000_000_123), '2023-11-14T22:13:20Z')
  assert.equal(microTimeOf(1_700_000_000_123), '2023-11-14T22:13:20.123000Z')
})
