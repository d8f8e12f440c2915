// Watches over HTTPS, as their clients read them.
import assert from 'node:assert/strict'
import { configMap, json, MAPS, openWatch, serverTest, until } from './http-server.fixture.ts'

serverTest(
  'a watch answers headers at once, then each change as a line, and ends with its client',
  async server => {
    const watch = await openWatch(server, `${MAPS}?watch=true`)
    assert.equal(watch.response.statusCode, 200)
    assert.equal(watch.response.headers['content-type'], 'application/json')
    await server.call('POST', MAPS, json(configMap('a')))
    const event = JSON.parse(await watch.next()) as { type: string; object: { metadata: { name: string } } }
    assert.deepEqual([event.type, event.object.metadata.name], ['ADDED', 'a'])
    const seconds = server.backend.requests[0]?.options?.timeoutSeconds ?? 0
    assert.ok(seconds >= 1800 && seconds <= 3600, String(seconds))
    watch.stop()
    await until(() => server.backend.watcherCount === 0)
  },
)

serverTest('a watch of tables repeats no columns', async server => {
  const watch = await openWatch(server, `${MAPS}?watch=true`, 'application/json;as=Table;v=v1;g=meta.k8s.io')
  await server.call('POST', MAPS, json(configMap('a')))
  await server.call('POST', MAPS, json(configMap('b')))
  const first = JSON.parse(await watch.next()) as { object: { columnDefinitions: unknown[] } }
  const second = JSON.parse(await watch.next()) as {
    object: { columnDefinitions: null; rows: { cells: string[] }[] }
  }
  assert.equal(first.object.columnDefinitions.length, 3)
  assert.equal(second.object.columnDefinitions, null)
  assert.equal(second.object.rows[0]?.cells[0], 'b')
  watch.stop()
})
