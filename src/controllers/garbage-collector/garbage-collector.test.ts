import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Draft } from '../../api/kube-object.ts'
import type { DeleteOptions } from '../../api/request.ts'
import { builtinResources, configMaps, namespaces, nodes } from '../../api/resources.ts'
import type { ConfigMap, Namespace, Node } from '../../api/types/core-v1.ts'
import type { OwnerReference } from '../../api/types/meta-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { runGarbageCollector } from './garbage-collector.ts'

interface Wanted {
  namespace?: string
  finalizers?: string[]
  block?: boolean
  owners?: (Partial<OwnerReference> & { name: string; uid: string })[]
}

class Objects {
  readonly world: ControlWorld

  constructor(world: ControlWorld) {
    this.world = world
  }

  static async create(): Promise<Objects> {
    const world = await ControlWorld.create()
    return new Objects(world)
  }

  collect(): () => Promise<void> {
    const { world } = this
    const recorder = world.recorder('garbage-collector-controller')
    const { client, clock, log, catalog } = world
    return world.start(signal => runGarbageCollector({ client, clock, log, catalog, recorder }, signal))
  }

  async make(name: string, { namespace = 'default', owners = [], block, finalizers }: Wanted = {}) {
    const ownerReferences = owners.map(({ name, uid, apiVersion = 'v1', kind = 'ConfigMap' }) => ({
      apiVersion,
      kind,
      name,
      uid,
      ...(block !== undefined && { blockOwnerDeletion: block }),
    }))
    const metadata = { name, namespace, ownerReferences, ...(finalizers && { finalizers }) }
    const { metadata: made } = await this.world.client.create<ConfigMap>(configMaps, { metadata })
    return { name, uid: made.uid }
  }

  delete(name: string, options: DeleteOptions = {}) {
    return this.world.client.delete(configMaps, { name, namespace: 'default' }, options)
  }

  find(name: string): Promise<ConfigMap | undefined> {
    return this.world.find(configMaps, { name, namespace: 'default' })
  }

  async left(): Promise<string> {
    await this.world.settle()
    return (await this.world.names(configMaps)).sort().join(' ')
  }
}

test('background: the owner goes at once, its dependents and theirs after it', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  objects.collect()
  const top = await objects.make('top')
  const middle = await objects.make('middle', { owners: [top] })
  await objects.make('leaf', { owners: [middle] })
  await objects.make('stranger')
  assert.equal(await objects.left(), 'leaf middle stranger top')
  await objects.delete('top', { propagationPolicy: 'Background' })
  assert.equal(await objects.left(), 'stranger')
})

test('what lost its owner while nobody watched is collected at the next start', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  await objects.make('leaf', { owners: [{ name: 'gone', uid: 'never-was' }] })
  objects.collect()
  assert.equal(await objects.left(), '')
})

test('foreground: the owner stays until dependents that block it are gone, and does not wait for others', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  objects.collect()
  const owner = await objects.make('owner')
  await objects.make('blocks', { owners: [owner], block: true, finalizers: ['example.com/hold'] })
  await objects.make('does-not-block', { owners: [owner], finalizers: ['example.com/hold'] })
  await objects.delete('owner', { propagationPolicy: 'Foreground' })
  assert.equal(await objects.left(), 'blocks does-not-block owner')
  const held = await objects.find('owner')
  assert.deepEqual(held?.metadata.finalizers, ['foregroundDeletion'])
  assert.ok((await objects.find('blocks'))?.metadata.deletionTimestamp)
  const key = { name: 'blocks', namespace: 'default' }
  const patch = { metadata: { finalizers: null } }
  await objects.world.client.patch(configMaps, key, 'application/merge-patch+json', patch)
  assert.equal(await objects.left(), 'does-not-block')
})

test('foreground: dependents of dependents go first, and objects that own each other do not wait for ever', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  objects.collect()
  const first = await objects.make('first')
  const second = await objects.make('second', { owners: [first], block: true })
  await objects.make('third', { owners: [second], block: true })
  await objects.world.client.patch(
    configMaps,
    { name: 'first', namespace: 'default' },
    'application/merge-patch+json',
    {
      metadata: {
        ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', ...second, blockOwnerDeletion: true }],
      },
    },
  )
  await objects.delete('first', { propagationPolicy: 'Foreground' })
  await objects.world.advance(1_000)
  assert.equal(await objects.left(), '')
})

test('orphan: dependents lose the owner and stay, with their other owners', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  objects.collect()
  const one = await objects.make('one')
  const other = await objects.make('other')
  await objects.make('both', { owners: [one, other] })
  await objects.make('single', { owners: [one] })
  await objects.delete('one', { propagationPolicy: 'Orphan' })
  assert.equal(await objects.left(), 'both other single')
  assert.deepEqual(
    (await objects.find('both'))?.metadata.ownerReferences?.map(({ name }) => name),
    ['other'],
  )
  assert.equal((await objects.find('single'))?.metadata.ownerReferences, undefined)
})

test('one of two owners goes: the reference to it is dropped, the object stays', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  objects.collect()
  const one = await objects.make('one')
  const other = await objects.make('other')
  await objects.make('both', { owners: [one, other] })
  await objects.delete('one')
  assert.equal(await objects.left(), 'both other')
  await objects.delete('other')
  assert.equal(await objects.left(), '')
})

test('an owner in another namespace does not count, and an event says so', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  await objects.world.client.create<Namespace>(namespaces, { metadata: { name: 'far' } } as Draft<Namespace>)
  objects.collect()
  const owner = await objects.make('owner', { namespace: 'far' })
  await objects.world.settle()
  await objects.make('dependent', { owners: [owner] })
  assert.equal(await objects.left(), 'owner')
  assert.deepEqual(await objects.world.events(), [
    `Warning OwnerRefInvalidNamespace: ownerRef [v1/ConfigMap, namespace: default, name: owner, uid: ${owner.uid}] does not exist in namespace "default"`,
  ])
})

test('an owner named wrongly is no owner, though its uid is right', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  objects.collect()
  const owner = await objects.make('owner')
  await objects.make('wrong-name', { owners: [{ name: 'other-name', uid: owner.uid }] })
  await objects.make('right', { owners: [owner] })
  assert.equal(await objects.left(), 'owner right')
})

test('a cluster-scoped object that names a namespaced owner stays', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  objects.collect()
  const owner = await objects.make('owner')
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.uid }]
  await objects.world.client.create<Node>(nodes, { metadata: { name: 'n', ownerReferences } } as Draft<Node>)
  await objects.delete('owner')
  await objects.world.settle()
  assert.deepEqual(await objects.world.names(nodes), ['n'])
})

test('an owner of a kind that nothing serves is looked for when something does', async () => {
  const objects = await Objects.create()
  await using _ = objects.world
  const { catalog } = objects.world
  catalog.replace(builtinResources.filter(({ kind }) => kind !== 'Secret'))
  objects.collect()
  await objects.make('dependent', { owners: [{ name: 's', uid: 'gone', kind: 'Secret' }] })
  assert.equal(await objects.left(), 'dependent')
  catalog.replace(builtinResources)
  assert.equal(await objects.left(), '')
})

test('nothing is left over or lost after any order of deletes', async () => {
  const policies = fc.constantFrom('Background' as const, 'Foreground' as const)
  const trees = fc.array(fc.nat(), { minLength: 2, maxLength: 12 })
  const deletes = fc.array(fc.tuple(fc.nat(), policies), { minLength: 1, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(trees, deletes, fc.boolean(), async (shape, deleted, late) => {
      const objects = await Objects.create()
      await using _ = objects.world
      if (!late) objects.collect()
      const made: { name: string; uid: string; parent: number }[] = []
      for (const [index, number] of shape.entries()) {
        const parent = index === 0 || number % 4 === 0 ? -1 : number % index
        const owner = made[parent]
        made.push({
          ...(await objects.make(`o${index}`, owner ? { owners: [owner], block: number % 3 === 0 } : {})),
          parent,
        })
      }
      const doomed = new Set<number>()
      for (const [number, propagationPolicy] of deleted) {
        const index = number % made.length
        doomed.add(index)
        await objects.delete(`o${index}`, { propagationPolicy }).catch(() => {})
      }
      if (late) objects.collect()
      await objects.world.advance(10_000)
      for (const [index, { parent }] of made.entries()) if (doomed.has(parent)) doomed.add(index)
      const expected = made.filter((_, index) => !doomed.has(index)).map(({ name }) => name)
      assert.equal(await objects.left(), expected.sort().join(' '))
    }),
    { numRuns: 30 },
  )
})
