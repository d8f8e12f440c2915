import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KubeObject, WatchEvent } from '../../api/kube-object.ts'
import type { RequestOptions } from '../../api/request.ts'
import { StatusError } from '../../api/status-error.ts'
import { settle } from '../../base/manual-clock.ts'
import { pod, TestRegistry, type WatchRecord } from './test-registry.ts'

type Action =
  | { do: 'create' | 'delete' | 'force' | 'bind'; name: string }
  | { do: 'label' | 'replace'; name: string; tier: string }
  | { do: 'watch'; selector: number; fromList: boolean }
  | { do: 'compact' }

const name = fc.constantFrom('a', 'b', 'c', 'd')
const tier = fc.constantFrom('web', 'db')

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('delete' as const, 'force' as const), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('bind' as const), name }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('label' as const, 'replace' as const), name, tier }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('watch' as const), selector: fc.nat(4), fromList: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'compact' as const }) },
)

const selectors: RequestOptions[] = [
  {},
  { labelSelector: 'tier=web' },
  { fieldSelector: 'spec.nodeName=n1' },
  { fieldSelector: 'spec.nodeName=', labelSelector: 'tier' },
  { fieldSelector: 'metadata.name=a' },
]

interface Watching {
  options: RequestOptions
  record: WatchRecord
  /** What was listed before the watch began. */
  known: Map<string, KubeObject>
}

async function perform(api: TestRegistry, step: Action, watching: Watching[]): Promise<unknown> {
  switch (step.do) {
    case 'create':
      return api.create('pods', pod(step.name))
    case 'delete':
      return api.object('delete', 'pods', { name: step.name })
    case 'force':
      return api.object('delete', 'pods', { name: step.name, deleteOptions: { gracePeriodSeconds: 0 } })
    case 'bind': {
      const body = { metadata: { name: step.name }, target: { name: 'n1' } }
      return api.object('create', 'pods/binding', { name: step.name, body })
    }
    case 'label':
      return api.patch('pods', step.name, { metadata: { labels: { tier: step.tier } } })
    case 'replace': {
      const body = structuredClone(await api.get('pods', step.name))
      body.metadata.labels = { tier: step.tier, changed: 'yes' } as never
      return api.update('pods', body)
    }
    case 'watch':
      return watching.push(await begin(api, selectors[step.selector]!, step.fromList))
    case 'compact':
      return api.storage.compact(api.storage.revision())
  }
}

async function begin(api: TestRegistry, options: RequestOptions, fromList: boolean): Promise<Watching> {
  if (!fromList) return { options, record: await api.watch('pods', options), known: new Map() }
  const { items, metadata } = await api.list('pods', options)
  const record = await api.watch('pods', { ...options, resourceVersion: metadata.resourceVersion })
  return { options, record, known: new Map(items.map(item => [item.metadata.name, item])) }
}

/** What a client that follows the events believes to be there. Fails when events do not fit together. */
function believed(known: Map<string, KubeObject>, events: readonly WatchEvent<KubeObject>[]): KubeObject[] {
  const objects = new Map(known)
  for (const { type, object } of events) {
    const { name } = object.metadata
    assert.equal(objects.has(name), type !== 'ADDED', `${type} ${name}`)
    if (type === 'DELETED') objects.delete(name)
    else objects.set(name, object)
  }
  return [...objects.values()].sort((x, y) => (x.metadata.name < y.metadata.name ? -1 : 1))
}

function assertIncreasing(events: readonly WatchEvent<KubeObject>[], synthetic: number): void {
  const versions = events.slice(synthetic).map(event => Number(event.object.metadata.resourceVersion))
  versions.forEach((version, index) => {
    if (index > 0) assert.ok(version > versions[index - 1]!, `${version} after ${versions[index - 1]}`)
  })
}

test('whatever happens, every watch adds up to what a list shows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(action, { minLength: 1, maxLength: 4 }), { maxLength: 25 }),
      async rounds => {
        const api = new TestRegistry()
        const watching: Watching[] = []
        for (const round of rounds) {
          // Steps of a round run at once; some fail, as requests do, but only with a Status.
          const results = await Promise.allSettled(round.map(step => perform(api, step, watching)))
          for (const result of results) {
            if (result.status === 'rejected')
              assert.ok(result.reason instanceof StatusError, String(result.reason))
          }
        }
        await settle()
        for (const { options, record, known } of watching) {
          assert.equal(record.error, undefined)
          const { items } = await api.list('pods', options)
          assert.deepEqual(believed(known, record.events), items)
          const synthetic = record.events.findIndex(event => event.type !== 'ADDED')
          assertIncreasing(record.events, synthetic < 0 ? record.events.length : synthetic)
        }
      },
    ),
    { numRuns: 150 },
  )
})
