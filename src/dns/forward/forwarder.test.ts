import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '../../base/log.ts'
import { ManualClock } from '../../base/manual-clock.ts'
import { lines, query, question } from '../testing/query.fixture.ts'
import type { Message, Question } from '../wire/message.ts'
import { RCODE, TYPE } from '../wire/record-types.ts'
import { addressRecord } from '../wire/records.ts'
import type { ServerAddress } from './exchange.ts'
import { Forwarder } from './forwarder.ts'

const plain = { dnssecOk: false, checkingDisabled: false }
type Behaviour = (question: Question) => Message | Promise<Message>

const answers =
  (address: string): Behaviour =>
  asked =>
    query(asked.name, 'a', { isResponse: true, answers: [addressRecord(asked.name, address, 60)] })
const says =
  (rcode: number): Behaviour =>
  asked =>
    query(asked.name, 'a', { isResponse: true, rcode })
const dead: Behaviour = () => Promise.reject(new Error('no answer'))

function setUp(servers: Record<ServerAddress, Behaviour>) {
  const clock = new ManualClock(1_000)
  /** What was asked, probes for circles aside. */
  const asked: string[] = []
  const probes: Question[] = []
  const exchange = async (server: ServerAddress, one: Question) => {
    if (one.type === TYPE.hinfo) probes.push(one)
    else asked.push(`${server} ${one.name}`)
    return servers[server]!(one)
  }
  const forwarder = new Forwarder({ exchange, clock, log: silentLog, random: () => 0.5 })
  forwarder.useServers(Object.keys(servers))
  return { clock, forwarder, asked, probes, servers }
}

test('an answer is asked for once and kept; each client gets its own spelling back', async () => {
  const { forwarder, asked } = setUp({ one: answers('192.0.2.1') })
  const both = await Promise.all([
    forwarder.resolve(question('a.x', 'a'), plain),
    forwarder.resolve(question('A.X', 'a'), plain),
  ])
  const later = await forwarder.resolve(question('a.X', 'a'), plain)
  assert.deepEqual(asked, ['one a.x'])
  assert.deepEqual(
    [...both, later].map(answer => lines(answer.answers)[0]),
    ['a.x 60 A 192.0.2.1', 'A.X 60 A 192.0.2.1', 'a.X 60 A 192.0.2.1'],
  )
})

test('the next server is asked when one does not answer, or has no use', async () => {
  const { forwarder, asked } = setUp({ one: dead, two: says(RCODE.refused), three: answers('192.0.2.3') })
  const answer = await forwarder.resolve(question('a.x', 'a'), plain)
  assert.deepEqual(lines(answer.answers), ['a.x 60 A 192.0.2.3'])
  assert.deepEqual(asked, ['one a.x', 'two a.x', 'three a.x'])
})

test('what the last server said is told when none has an answer', async () => {
  const { forwarder } = setUp({ one: says(RCODE.refused), two: dead })
  assert.equal((await forwarder.resolve(question('a.x', 'a'), plain)).rcode, RCODE.refused)
})

test('a name that does not exist is an answer', async () => {
  const { forwarder, asked } = setUp({ one: says(RCODE.nameError), two: answers('192.0.2.2') })
  assert.equal((await forwarder.resolve(question('a.x', 'a'), plain)).rcode, RCODE.nameError)
  assert.deepEqual(asked, ['one a.x'])
})

test('without servers, and when all are dead, the answer is SERVFAIL', async () => {
  assert.equal((await setUp({}).forwarder.resolve(question('a.x', 'a'), plain)).rcode, RCODE.serverFailure)
  const { forwarder } = setUp({ one: dead })
  assert.equal((await forwarder.resolve(question('a.x', 'a'), plain)).rcode, RCODE.serverFailure)
})

test('a dead server is left alone for a growing while, then tried by one query', async () => {
  const { forwarder, asked, clock, servers } = setUp({ one: dead, two: answers('192.0.2.2') })
  const ask = (name: string) => forwarder.resolve(question(name, 'a'), plain)
  await ask('a')
  await ask('b')
  assert.deepEqual(asked, ['one a', 'two a', 'two b'])
  await clock.advance(500)
  await Promise.all([ask('c'), ask('d')])
  assert.deepEqual(asked.slice(3).sort(), ['one c', 'two c', 'two d'])
  await clock.advance(500)
  await ask('e')
  assert.equal(asked.at(-1), 'two e')
  servers.one = answers('192.0.2.1')
  await clock.advance(500)
  await ask('f')
  await ask('g')
  assert.deepEqual(asked.slice(-2), ['one f', 'one g'])
})

test('a server that asks us what we asked it is not asked any more', async () => {
  const { forwarder, asked, probes, servers } = setUp({ circle: dead, two: answers('192.0.2.2') })
  servers.circle = async one => {
    if (!probes.includes(one)) return dead(one)
    const { rcode } = await forwarder.resolve(one, plain)
    return query(one.name, 'hinfo', { isResponse: true, rcode })
  }
  await forwarder.resolve(question('a.x', 'a'), plain)
  await forwarder.resolve(question('b.x', 'a'), plain)
  assert.deepEqual(asked, ['circle a.x', 'two a.x', 'two b.x'])
})

test('other servers start with an empty cache', async () => {
  const { forwarder, asked } = setUp({ one: answers('192.0.2.1') })
  await forwarder.resolve(question('a.x', 'a'), plain)
  forwarder.useServers(['one'])
  await forwarder.resolve(question('a.x', 'a'), plain)
  assert.equal(asked.length, 2)
})

test('too many questions at once are refused instead of piling up', async () => {
  const never = Promise.withResolvers<Message>()
  const { forwarder } = setUp({ one: () => never.promise })
  for (let index = 0; index < 1_000; index++) void forwarder.resolve(question(`n${index}`, 'a'), plain)
  assert.equal((await forwarder.resolve(question('last', 'a'), plain)).rcode, RCODE.refused)
})
