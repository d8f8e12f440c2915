import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, pod, TestRegistry } from '../registry/test-registry.ts'
import { quotaStatusThrough } from './quota-status.ts'
import { resourceQuota } from './resource-quota.ts'
import { storageLookup } from './storage-lookup.ts'

async function cluster(hard: Record<string, string>, spec: object = {}) {
  const api: TestRegistry = new TestRegistry(storage => [
    resourceQuota({
      lookup: storageLookup(storage),
      clock: { now: () => Date.parse('2026-01-01T00:00:00Z') },
      updateStatus: quotaStatusThrough(() => api.registry.handle),
    }),
  ])
  const quota = await api.create('resourcequotas', { metadata: { name: 'q' }, spec: { hard, ...spec } })
  const used = Object.fromEntries(Object.keys(hard).map(name => [name, '0']))
  await api.update('resourcequotas/status', { ...quota, status: { hard, used } } as never)
  const usedNow = async () =>
    (await api.get('resourcequotas', 'q')).status!.used as unknown as Record<string, string>
  return { api, usedNow }
}
const sized = (name: string, cpu?: string) =>
  pod(name, { containers: [{ name: 'c', image: 'x', ...(cpu && { resources: { requests: { cpu } } }) }] })

test('what is let through is counted, what goes over is refused', async () => {
  const { api, usedNow } = await cluster({ pods: '3', 'requests.cpu': '1' })
  await api.create('pods', sized('a', '600m'))
  assert.deepEqual(await usedNow(), { pods: '1', 'requests.cpu': '600m' })
  const refused = await failure(api.create('pods', sized('b', '600m')))
  assert.deepEqual(
    [refused.code, refused.message],
    [
      403,
      'pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
    ],
  )
  const silent = await failure(api.create('pods', sized('c')))
  assert.equal(silent.message, 'pods "c" is forbidden: failed quota: q: must specify requests.cpu for: c')
  assert.deepEqual(await usedNow(), { pods: '1', 'requests.cpu': '600m' })
})

test('concurrent creates never spend more than there is', async () => {
  const { api, usedNow } = await cluster({ pods: '5' })
  const names = Array.from({ length: 20 }, (_, index) => `p${index}`)
  const outcomes = await Promise.allSettled(names.map(name => api.create('pods', pod(name))))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 5)
  assert.equal((await api.list('pods')).items.length, 5)
  assert.deepEqual(await usedNow(), { pods: '5' })
})

test('a dry run and a name that is taken spend nothing', async () => {
  const { api, usedNow } = await cluster({ 'count/configmaps': '1', configmaps: '5' })
  await api.create('configmaps', { metadata: { name: 'dry' } }, { options: { dryRun: ['All'] } })
  assert.deepEqual(await usedNow(), { 'count/configmaps': '0', configmaps: '0' })
  await api.create('configmaps', { metadata: { name: 'a' } })
  assert.equal((await failure(api.create('configmaps', { metadata: { name: 'a' } }))).reason, 'AlreadyExists')
  assert.deepEqual(await usedNow(), { 'count/configmaps': '1', configmaps: '1' })
  const refused = await failure(api.create('configmaps', { metadata: { name: 'b' } }))
  assert.equal(
    refused.message,
    'configmaps "b" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=1, limited: count/configmaps=1',
  )
})

test('a quota with scopes looks at its pods only', async () => {
  const { api, usedNow } = await cluster({ pods: '0' }, { scopes: ['BestEffort'] })
  await api.create('pods', sized('burstable', '1'))
  assert.equal((await failure(api.create('pods', sized('best')))).code, 403)
  assert.deepEqual(await usedNow(), { pods: '0' })
})

test('a Service that becomes a NodePort pays for its ports', async () => {
  const { api, usedNow } = await cluster({ 'services.nodeports': '1', services: '2' })
  const ports = [
    { name: 'a', port: 80 },
    { name: 'b', port: 81 },
  ]
  const made = await api.create('services', { metadata: { name: 's' }, spec: { ports } })
  assert.deepEqual(await usedNow(), { 'services.nodeports': '0', services: '1' })
  const changed = { ...made, spec: { ...made.spec, type: 'NodePort' } }
  const refused = await failure(api.update('services', structuredClone(changed) as never))
  assert.equal(
    refused.message,
    'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
  )
})
