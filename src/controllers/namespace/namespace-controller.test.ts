import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { configMaps, deployments, namespaces, pods } from '../../api/resources.ts'
import type { Deployment } from '../../api/types/apps-v1.ts'
import type { ConfigMap, Namespace, Pod } from '../../api/types/core-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { runNamespaceController } from './namespace-controller.ts'

const spec = { containers: [{ name: 'c', image: 'i' }] }

async function start() {
  const world = await ControlWorld.create()
  world.start(signal => runNamespaceController(world, signal))
  return world
}

const conditionsOf = ({ status }: Namespace) =>
  (status.conditions ?? []).map(
    ({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`,
  )

test('an empty namespace goes at once', async () => {
  await using world = await start()
  await world.client.delete(namespaces, { name: 'default' })
  await world.settle()
  assert.equal(await world.find(namespaces, { name: 'default' }), undefined)
})

test('pods go first; everything else waits for them, and conditions say so', async () => {
  await using world = await start()
  const { client } = world
  const namespace = 'default'
  const held = { name: 'p', namespace, finalizers: ['example.com/a'] }
  await client.create<Pod>(pods, { metadata: held, spec } as Draft<Pod>)
  await client.create<ConfigMap>(configMaps, { metadata: { name: 'c', namespace } })
  await client.delete(namespaces, { name: namespace })
  await world.settle()
  const waiting = await client.get(namespaces, { name: namespace })
  assert.deepEqual(conditionsOf(waiting), [
    'NamespaceDeletionDiscoveryFailure=False ResourcesDiscovered: All resources successfully discovered',
    'NamespaceDeletionGroupVersionParsingFailure=False ParsedGroupVersions: All legacy kube types successfully parsed',
    'NamespaceDeletionContentFailure=False ContentDeleted: All content successfully deleted, may be waiting on finalization',
    'NamespaceContentRemaining=True SomeResourcesRemain: Some resources are remaining: pods. has 1 resource instances',
    'NamespaceFinalizersRemaining=True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/a in 1 resource instances',
  ])
  assert.deepEqual(await world.names(configMaps), ['c'])
  const patch = { metadata: { finalizers: null } }
  await client.patch(pods, { name: 'p', namespace }, 'application/merge-patch+json', patch)
  await world.settle()
  assert.equal(await world.find(namespaces, { name: namespace }), undefined, 'it does not wait for a timer')
  assert.deepEqual(await world.names(configMaps), [])
})

test('groups are named in what remains, and the namespace goes when the last finalizer goes', async () => {
  await using world = await start()
  const { client } = world
  const metadata = { name: 'd', namespace: 'default', finalizers: ['example.com/a'] }
  const selector = { matchLabels: { a: 'b' } }
  const template = { metadata: { labels: { a: 'b' } }, spec }
  await client.create<Deployment>(deployments, {
    metadata,
    spec: { selector, template },
  } as unknown as Draft<Deployment>)
  await client.delete(namespaces, { name: 'default' })
  await world.settle()
  const { status } = await client.get(namespaces, { name: 'default' })
  assert.equal(
    status.conditions?.find(({ type }) => type === 'NamespaceContentRemaining')?.message,
    'Some resources are remaining: deployments.apps has 1 resource instances',
  )
  const patch = { metadata: { finalizers: null } }
  await client.patch(deployments, { name: 'd', namespace: 'default' }, 'application/merge-patch+json', patch)
  await world.settle()
  assert.equal(await world.find(namespaces, { name: 'default' }), undefined)
})

test('a finalizer of somebody else in the spec keeps the emptied namespace', async () => {
  await using world = await start()
  const { client } = world
  const spec = { finalizers: ['example.com/mine', 'kubernetes'] }
  await client.create<Namespace>(namespaces, { metadata: { name: 'kept' }, spec } as Draft<Namespace>)
  await client.create<ConfigMap>(configMaps, { metadata: { name: 'c', namespace: 'kept' } })
  await client.delete(namespaces, { name: 'kept' })
  await world.settle()
  const kept = await client.get(namespaces, { name: 'kept' })
  assert.deepEqual(kept.spec.finalizers, ['example.com/mine'])
  assert.equal(kept.status.phase, 'Terminating')
  assert.deepEqual(await world.names(configMaps), [])
})

test('pods that outlive their grace without a finalizer are reported as a failure', async () => {
  await using world = await start()
  const { client } = world
  const metadata = { name: 'p', namespace: 'default' }
  await client.create<Pod>(pods, { metadata, spec: { ...spec, nodeName: 'n' } } as Draft<Pod>)
  await client.delete(namespaces, { name: 'default' })
  await world.advance(40_000)
  const { status } = await client.get(namespaces, { name: 'default' })
  assert.equal(
    status.conditions?.find(({ type }) => type === 'NamespaceDeletionContentFailure')?.message,
    'Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: default for gvr: /v1, Resource=pods',
  )
})
