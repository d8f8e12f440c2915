import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { services } from '../../api/resources.ts'
import type { Service } from '../../api/types/core-v1.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import { Client } from '../../client/client.ts'
import { MapHandler } from '../../client/map-handler.fixture.ts'
import { ClientObjectSource } from './object-source.ts'

async function make() {
  const server = new MapHandler()
  const client = new Client(server.handle, { name: 'test', groups: [] })
  const create = (namespace: string, name: string) =>
    client.create(services, { metadata: { namespace, name }, spec: {} } as Draft<Service>)
  await create('default', 'kubernetes')
  await create('a', 'one')
  await create('b', 'two')
  const source = new ClientObjectSource({ client, clock: new ManualClock(0), log: silentLog })
  const names = async (namespace: string) =>
    (await source.services(namespace)).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
  return { server, create, source, names }
}

test('services are those of the namespace, and default/kubernetes once', async () => {
  const { create, source, names } = await make()
  const stop = new AbortController()
  void source.run(stop.signal)
  assert.deepEqual(await names('a'), ['a/one', 'default/kubernetes'])
  assert.deepEqual(await names('default'), ['default/kubernetes'])
  await create('a', 'three')
  await settle()
  assert.deepEqual(await names('a'), ['a/one', 'a/three', 'default/kubernetes'])
  stop.abort()
})

test('containers do not ask the server for services, however many there are', async () => {
  const { server, source, names } = await make()
  const stop = new AbortController()
  void source.run(stop.signal)
  await names('a')
  const asked = server.requests.length
  for (let containers = 0; containers < 10; containers++) await names('a')
  assert.equal(server.requests.length, asked)
  stop.abort()
})

test('before they are known a container waits; when the node stops it waits no longer', async () => {
  const { source, names } = await make()
  const stop = new AbortController()
  const waiting = names('a')
  void source.run(stop.signal)
  assert.deepEqual(await waiting, ['a/one', 'default/kubernetes'])
  stop.abort()

  const other = await make()
  const stopped = new AbortController()
  other.server.failures.push({ verb: 'list', error: new Error('no connection') })
  void other.source.run(stopped.signal)
  const never = other.names('a')
  await settle()
  stopped.abort(new Error('stopped'))
  await assert.rejects(never, /stopped/)
})
