import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Draft } from '../../api/kube-object.ts'
import { nodes } from '../../api/resources.ts'
import type { Node } from '../../api/types/core-v1.ts'
import { ControlWorld } from '../testing/control-world.fixture.ts'
import { NodeIpamController } from './node-ipam-controller.ts'

const RESERVED = ['10.9.0.0/24']

async function lab(cluster = '10.9.0.0/16') {
  const world = await ControlWorld.create()
  world.start(signal => new NodeIpamController(world, { cluster, reserved: RESERVED }).run(signal))
  const join = (name: string, podCIDRs?: string[]) => {
    const spec = podCIDRs ? { podCIDR: podCIDRs[0], podCIDRs } : {}
    return world.client.create(nodes, { metadata: { name }, spec } as Draft<Node>)
  }
  const rangeOf = async (name: string) => {
    const { podCIDR, podCIDRs } = (await world.client.get(nodes, { name })).spec
    assert.deepEqual(podCIDRs, podCIDR === undefined ? undefined : [podCIDR])
    return podCIDR
  }
  return { world, join, rangeOf, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() }
}

test('Nodes that join together get a range each, and keep one that they bring along', async () => {
  await using one = await lab()
  await Promise.all([one.join('a'), one.join('b'), one.join('c', ['10.9.2.0/24']), one.join('d')])
  await one.world.settle()
  const ranges = await Promise.all(['a', 'b', 'c', 'd'].map(one.rangeOf))
  assert.equal(ranges[2], '10.9.2.0/24')
  assert.deepEqual(ranges.toSorted(), ['10.9.1.0/24', '10.9.2.0/24', '10.9.3.0/24', '10.9.4.0/24'])
})

test('when no range is left a Node waits until another goes', async () => {
  await using one = await lab('10.9.0.0/23')
  await one.join('first')
  await one.world.settle()
  await one.join('second')
  await one.world.settle()
  assert.equal(await one.rangeOf('second'), undefined)
  assert.deepEqual(await one.world.events(), [
    'Normal CIDRNotAvailable: Node second status is now: CIDRNotAvailable',
  ])
  await one.world.client.delete(nodes, { name: 'first' })
  await one.world.settle()
  assert.equal(await one.rangeOf('second'), '10.9.1.0/24')
})
