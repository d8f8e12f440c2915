import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, type Loose, TestRegistry } from '../../test-registry.ts'

const SLICES = 'discovery.k8s.io/v1/endpointslices'
const slice = (more: object = {}, labels: Record<string, string> = {}) => ({
  metadata: { name: 's', labels },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'] }],
  ports: [{ name: 'http', port: 80 }],
  ...more,
})

test('the generation counts changes of endpoints and of labels, and no others', async () => {
  const api = new TestRegistry()
  const generations = [(await api.create(SLICES, slice())).metadata.generation]
  for (const patch of [
    { metadata: { annotations: { a: 'b' } } },
    { metadata: { labels: { a: 'b' } } },
    { endpoints: [{ addresses: ['10.0.0.2'] }] },
  ])
    generations.push((await api.patch(SLICES, 's', patch)).metadata.generation)
  assert.deepEqual(generations, [1, 1, 2, 3])
})

test('the topology of the version before is dropped without a word', async () => {
  const api = new TestRegistry()
  const old = { endpoints: [{ addresses: ['10.0.0.1'], deprecatedTopology: { zone: 'a' } }] }
  const made = (await api.create(SLICES, slice(old))) as Loose & typeof old
  assert.deepEqual(made.endpoints, [{ addresses: ['10.0.0.1'], conditions: {} }])
})

test('a zone that is hinted at twice is told by its place', async () => {
  const api = new TestRegistry()
  const hints = { forZones: [{ name: 'a' }, { name: 'a' }] }
  const { message } = await failure(
    api.create(SLICES, slice({ endpoints: [{ addresses: ['10.0.0.1'], hints }] })),
  )
  assert.match(message, /is invalid: endpoints\[0\]\.hints\.forZones\[1\]\.name: Duplicate value: "a"$/)
})
