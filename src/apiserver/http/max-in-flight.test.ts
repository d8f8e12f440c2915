import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTooManyRequests } from '../../api/status-error.ts'
import { MaxInFlight } from './max-in-flight.ts'

const jane = { name: 'jane', groups: [] }
const admin = { name: 'admin', groups: ['system:masters'] }

test('the 201st write waits for its turn, reads and administrators do not', () => {
  const limit = new MaxInFlight()
  const running = Array.from({ length: 200 }, () => limit.enter('create', jane))
  assert.throws(() => limit.enter('update', jane), isTooManyRequests)
  limit.enter('get', jane)
  limit.enter('create', admin)()
  running[0]!()
  running[0]!()
  limit.enter('update', jane)
  assert.throws(() => limit.enter('update', jane), isTooManyRequests)
})
