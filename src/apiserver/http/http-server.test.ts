import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import { ManualClock } from '../../base/manual-clock.ts'
import { configMap, json, MAPS, openWatch, serverTest, until } from './http-server.fixture.ts'
import { identity, startTestServer } from './test-server.ts'

serverTest('objects are created, read, listed, patched and deleted', async ({ call }) => {
  assert.equal((await call('POST', MAPS, json(configMap('a', { x: '1' })))).code, 201)
  assert.equal((await call('POST', MAPS, json(configMap('a')))).code, 409)
  assert.deepEqual((await call('GET', `${MAPS}/a`)).json().data, { x: '1' })
  const patch = { headers: { 'Content-Type': 'application/merge-patch+json' }, body: '{"data":{"x":"2"}}' }
  assert.deepEqual((await call('PATCH', `${MAPS}/a`, patch)).json().data, { x: '2' })
  assert.equal(((await call('GET', MAPS)).json().items as unknown[]).length, 1)
  assert.equal(
    (await call('DELETE', `${MAPS}/a`, json({ kind: 'DeleteOptions', gracePeriodSeconds: 0 }))).code,
    200,
  )
  const gone = await call('GET', `${MAPS}/a`)
  assert.equal(gone.code, 404)
  assert.equal(gone.json().message, 'configmaps "a" not found')
})

serverTest('every answer carries an audit id and forbids caching', async ({ call }) => {
  const answer = await call('GET', MAPS, { headers: { 'Audit-ID': 'mine-1' } })
  assert.equal(answer.headers['audit-id'], 'mine-1')
  assert.equal(answer.headers['cache-control'], 'no-cache, private')
  assert.match(String((await call('GET', '/nope')).headers['audit-id']), /^[0-9a-f-]{36}$/)
})

serverTest('a body over 3 MiB is refused, announced or not, and the server lives on', async ({ call }) => {
  const body = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20)
  const headers = { 'Content-Type': 'application/json' }
  const announced = await call('POST', MAPS, { headers, body })
  assert.equal(announced.code, 413)
  assert.equal(announced.json().message, 'Request entity too large: limit is 3145728')
  const chunked = await call('POST', MAPS, { headers: { ...headers, 'Transfer-Encoding': 'chunked' }, body })
  assert.equal(chunked.code, 413)
  assert.equal((await call('GET', MAPS)).code, 200)
})

serverTest('large answers are compressed for those who can read it', async ({ call }) => {
  await call('POST', MAPS, json(configMap('big', { x: 'x'.repeat(200_000) })))
  const plain = await call('GET', `${MAPS}/big`)
  assert.equal(plain.headers['content-encoding'], undefined)
  const packed = await call('GET', `${MAPS}/big`, { headers: { 'Accept-Encoding': 'gzip' } })
  assert.equal(packed.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(packed.bytes).toString(), plain.text)
  assert.ok(packed.bytes.length < 10_000)
})

serverTest('closing ends watches and lets requests finish', async server => {
  const watch = await openWatch(server, `${MAPS}?watch=true`)
  await server.server.close(5_000)
  assert.equal(await watch.next(), '')
  await assert.rejects(server.call('GET', '/livez'), /ECONNREFUSED/)
})

test('a request that takes a minute is answered with a timeout, and its work is told to stop', async () => {
  const clock = new ManualClock(Date.now())
  const handle = () => new Promise<never>(() => {})
  await using server = await startTestServer({ clock, handle })
  const answer = server.call('GET', MAPS)
  await until(() => clock.nextWakeAt() !== undefined)
  await clock.advance(60_000)
  const { code, json } = await answer
  assert.equal(code, 504)
  assert.equal(json().message, 'Timeout: request did not complete within the allotted timeout')
})

test('an unknown error is answered as an internal one', async () => {
  const handle = () => Promise.reject(new TypeError('boom'))
  await using server = await startTestServer({ handle })
  const answer = await server.call('GET', MAPS)
  assert.equal(answer.code, 500)
  assert.equal(answer.json().message, 'Internal error occurred: boom')
})

test('logs are streamed as they come', async () => {
  let release = () => {}
  const more = new Promise<void>(resolve => {
    release = resolve
  })
  async function* body() {
    yield Buffer.from('one\n')
    await more
    yield Buffer.from('two\n')
  }
  const handle = async () => ({ kind: 'stream' as const, contentType: 'text/plain', body: body() })
  await using server = await startTestServer({ handle })
  const log = await openWatch(server, '/api/v1/namespaces/default/pods/p/log?follow=true')
  assert.equal(log.response.headers['content-type'], 'text/plain')
  assert.equal(await log.next(), 'one')
  release()
  assert.equal(await log.next(), 'two')
})

serverTest(
  'an upgrade nobody serves is refused with a Status, and a torn request hurts nobody',
  async server => {
    const { port, pki } = server
    const ask = (text: string) =>
      new Promise<string>((resolve, reject) => {
        const { headers: _, ...tls } = identity(pki)
        const socket = connect({ host: '127.0.0.1', port, ...tls }, () => socket.write(text))
        let answer = ''
        socket.on('data', chunk => {
          answer += chunk.toString()
        })
        socket.on('end', () => resolve(answer))
        socket.on('error', reject)
      })
    const path = '/api/v1/namespaces/default/pods/p/exec?command=sh'
    const upgrade = await ask(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n`,
    )
    assert.match(upgrade, /^HTTP\/1\.1 501 /)
    assert.match(upgrade, /"kind":"Status"/)
    assert.match(await ask('BLAH\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.equal((await server.call('GET', '/livez')).code, 200)
  },
)

serverTest('discovery answers both forms, with a tag that saves sending it again', async ({ call }) => {
  const groups = (await call('GET', '/apis')).json()
  assert.equal(groups.kind, 'APIGroupList')
  for (const version of ['v2', 'v2beta1']) {
    const accept = `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`
    const found = await call('GET', '/apis', { headers: { Accept: accept } })
    assert.equal(found.json().kind, 'APIGroupDiscoveryList')
    assert.equal(found.json().apiVersion, `apidiscovery.k8s.io/${version}`)
    const again = await call('GET', '/apis', {
      headers: { Accept: accept, 'If-None-Match': String(found.headers.etag) },
    })
    assert.deepEqual([again.code, again.text], [304, ''])
  }
  const core = (await call('GET', '/api/v1')).json()
  const names = (core.resources as { name: string }[]).map(({ name }) => name)
  assert.ok(names.includes('pods') && names.includes('pods/log'))
  assert.equal((await call('GET', '/apis/nope/v1')).text, '404 page not found\n')
  assert.equal((await call('GET', '/nope')).text, '404 page not found\n')
  const { code, headers } = await call('GET', '/openapi/v2', {
    headers: { Accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
  })
  assert.deepEqual(
    [code, headers['content-type']],
    [200, 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'],
  )
})
