import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiHandler } from '../api/request.ts'
import { nodeUsage } from './node-usage.ts'

const names = ['here', 'there', 'broken', 'silent']
const handle: ApiHandler = async () => ({
  kind: 'object',
  code: 200,
  object: { items: names.map(name => ({ metadata: { name } })) } as never,
})

test('every node that answers is told of', async () => {
  const usage = await nodeUsage(handle, {
    async get(nodeName, path) {
      if (nodeName === 'broken') throw new Error('no route to host')
      if (nodeName === 'silent') return undefined
      const text = JSON.stringify({
        node: { nodeName, path },
        pods: nodeName === 'here' ? null : [{ containers: null }],
      })
      return { contentType: 'application/json', body: Buffer.from(text) }
    },
  })
  assert.deepEqual(usage, [
    { node: { nodeName: 'here', path: '/stats/summary' }, pods: [] },
    { node: { nodeName: 'there', path: '/stats/summary' }, pods: [{ containers: [] }] },
  ])
})
