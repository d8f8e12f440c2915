import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Answer, Responder } from '../server/answer.ts'
import { failure } from '../server/answer.ts'
import { lines, question } from '../testing/query.fixture.ts'
import { RCODE } from '../wire/record-types.ts'
import { addressRecord } from '../wire/records.ts'
import type { ServiceEntry } from './service-entry.ts'
import { zoneResponder } from './zone-responder.ts'

const facts = { zone: 'cluster.local', serverAddresses: [], ownRanges: [], ttl: 5, serial: 1 }
const asking = { dnssecOk: false, checkingDisabled: false }
const alias = (name: string, target: string): ServiceEntry => ({
  kind: 'external',
  namespace: 'a',
  name,
  target,
})

function ask(entries: ServiceEntry[], name: string, elsewhere: Responder = () => undefined, random = 0) {
  const names = {
    hasNamespace: () => true,
    find: (namespace: string, wanted: string) =>
      entries.find(entry => entry.namespace === namespace && entry.name === wanted),
    byAddress: () => [],
  }
  return zoneResponder(names, facts, elsewhere, () => random)(question(name, 'a'), asking)
}

const world: Responder = ({ name }): Answer =>
  name === 'example.org'
    ? { ...failure(RCODE.noError), answers: [addressRecord(name, '192.0.2.1', 60)] }
    : failure(name === 'none.example' ? RCODE.nameError : RCODE.serverFailure)

test('an alias to a name elsewhere comes with what that name is', async () => {
  const answer = await ask([alias('far', 'example.org')], 'far.a.svc.cluster.local', world)
  assert.deepEqual(lines(answer!.answers), [
    'far.a.svc.cluster.local 5 CNAME example.org',
    'example.org 60 A 192.0.2.1',
  ])
  assert.equal(answer!.authoritative, true)
})

test('an alias to a name that does not exist says so', async () => {
  const answer = await ask([alias('far', 'none.example')], 'far.a.svc.cluster.local', world)
  assert.equal(answer!.rcode, RCODE.nameError)
  assert.equal(answer!.answers.length, 1)
})

test('an alias whose target cannot be found out is still the answer', async () => {
  const answer = await ask([alias('far', 'broken.example')], 'far.a.svc.cluster.local', world)
  assert.equal(answer!.rcode, RCODE.noError)
  assert.deepEqual(lines(answer!.answers), ['far.a.svc.cluster.local 5 CNAME broken.example'])
})

test('an alias to another Service of the cluster is followed there', async () => {
  const web: ServiceEntry = {
    kind: 'cluster',
    namespace: 'a',
    name: 'web',
    addresses: ['10.96.0.7'],
    ports: [],
    endpoints: [],
  }
  const answer = await ask([alias('far', 'web.a.svc.cluster.local'), web], 'far.a.svc.cluster.local')
  assert.deepEqual(lines(answer!.answers), [
    'far.a.svc.cluster.local 5 CNAME web.a.svc.cluster.local',
    'web.a.svc.cluster.local 5 A 10.96.0.7',
  ])
})

test('aliases in a circle end in SERVFAIL', async () => {
  const circle = [alias('one', 'two.a.svc.cluster.local'), alias('two', 'one.a.svc.cluster.local')]
  const answer = await ask(circle, 'one.a.svc.cluster.local')
  assert.equal(answer!.rcode, RCODE.serverFailure)
})

test('every address gets to be the first one', async () => {
  const endpoints = ['10.1.0.1', '10.1.0.2', '10.1.0.3'].map(address => ({
    label: address,
    address,
    ports: [],
  }))
  const db: ServiceEntry = {
    kind: 'headless',
    namespace: 'a',
    name: 'db',
    addresses: [],
    ports: [],
    endpoints,
  }
  const firsts = await Promise.all(
    [0, 0.4, 0.9].map(
      async random => lines((await ask([db], 'db.a.svc.cluster.local', undefined, random))!.answers)[0],
    ),
  )
  assert.deepEqual(
    firsts,
    ['10.1.0.1', '10.1.0.2', '10.1.0.3'].map(ip => `db.a.svc.cluster.local 5 A ${ip}`),
  )
})
