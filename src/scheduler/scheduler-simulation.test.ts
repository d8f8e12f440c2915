// Random clusters in virtual time: whatever comes and goes, nothing is overbooked, nobody waits while there is room,
// and nobody waits for somebody less important.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nodes, pods } from '../api/resources.ts'
import type { Node, Pod } from '../api/types/core-v1.ts'
import { SchedulerLab } from './testing/scheduler-lab.fixture.ts'

type Step =
  | { do: 'addNode'; cpu: number }
  | { do: 'cordon' | 'open' | 'removeNode'; which: number }
  | { do: 'addPod'; cpu: number; priority: number }
  | { do: 'removePod'; which: number }
  | { do: 'pass'; seconds: number }

const which = fc.nat(20)
const stepOf: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('addNode' as const), cpu: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('cordon' as const, 'open' as const, 'removeNode' as const),
      which,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('addPod' as const),
      cpu: fc.integer({ min: 1, max: 3 }),
      priority: fc.constantFrom(0, 0, 10, 100),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('removePod' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pass' as const), seconds: fc.constantFrom(1, 11, 301) }),
  },
)

class Simulation {
  readonly #lab: SchedulerLab
  #made = 0

  constructor(lab: SchedulerLab) {
    this.#lab = lab
  }

  async perform(step: Step): Promise<void> {
    const lab = this.#lab
    const name = `x${this.#made++}`
    if (step.do === 'addNode') await lab.addNode(name, String(step.cpu))
    else if (step.do === 'addPod') await lab.addPod(name, String(step.cpu), { priority: step.priority })
    else if (step.do === 'pass') await lab.world.advance(step.seconds * 1000)
    else if (step.do === 'removePod') {
      const pod = pick(await this.pods(), step.which)
      if (pod) await lab.remove(pod.metadata.name)
    } else await this.#changeNode(step.do, pick(await this.nodes(), step.which))
    await this.#endLeaving()
  }

  /** A node that goes takes its Pods with it. */
  async #changeNode(what: 'cordon' | 'open' | 'removeNode', node: Node | undefined): Promise<void> {
    if (!node) return
    const { client } = this.#lab.world
    const { name } = node.metadata
    if (what === 'removeNode') {
      await client.delete(nodes, { name })
      for (const pod of await this.pods())
        if (pod.spec.nodeName === name) await this.#lab.remove(pod.metadata.name)
    } else {
      const patch = { spec: { unschedulable: what === 'cordon' ? true : null } }
      await client.patch(nodes, { name }, 'application/merge-patch+json', patch)
    }
    await this.#lab.world.settle()
  }

  /** Plays the kubelets: what was told to end ends, which may lead to more. */
  async #endLeaving(): Promise<void> {
    for (;;) {
      const leaving = (await this.pods()).filter(({ metadata }) => metadata.deletionTimestamp)
      if (leaving.length === 0) return
      for (const { metadata } of leaving) await this.#lab.remove(metadata.name)
      await this.#lab.world.settle()
    }
  }

  async check(): Promise<void> {
    const [allNodes, allPods] = [await this.nodes(), await this.pods()]
    const waiting = allPods.filter(({ spec }) => !spec.nodeName)
    for (const node of allNodes) {
      const there = allPods.filter(({ spec }) => spec.nodeName === node.metadata.name)
      const free = Number(node.status.allocatable?.cpu) - sum(there)
      assert.ok(free >= 0, `${node.metadata.name} is overbooked by ${-free}`)
      if (node.spec.unschedulable) continue
      for (const pod of waiting) {
        const lesser = there.filter(({ spec }) => (spec.priority ?? 0) < (pod.spec.priority ?? 0))
        assert.ok(
          free + sum(lesser) < cpuOf(pod),
          `${pod.metadata.name} waits though ${node.metadata.name} has ${free} free and ${lesser.length} lesser Pods`,
        )
      }
    }
  }

  async nodes(): Promise<Node[]> {
    return (await this.#lab.world.client.list(nodes)).items
  }

  async pods(): Promise<Pod[]> {
    return (await this.#lab.world.client.list(pods)).items
  }
}

const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % Math.max(1, list.length)]
const cpuOf = ({ spec }: Pod) => Number(spec.containers[0]!.resources?.requests?.cpu)
const sum = (list: readonly Pod[]) => list.reduce((total, pod) => total + cpuOf(pod), 0)

test('nothing is overbooked and nobody waits without need', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepOf, { minLength: 5, maxLength: 40 }), async steps => {
      await using lab = await SchedulerLab.create()
      const simulation = new Simulation(lab)
      for (const cpu of [2, 3]) await simulation.perform({ do: 'addNode', cpu })
      for (const step of steps) {
        await simulation.perform(step)
        await simulation.check()
      }
    }),
    { numRuns: 40, endOnFailure: true },
  )
})
