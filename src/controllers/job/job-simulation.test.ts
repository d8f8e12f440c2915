// Jobs under whatever order of ends, failures, deletions and restarts of the controller.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pods } from '../../api/resources.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { INDEX_ANNOTATION } from './job-facts.ts'
import { JobLab } from './job-lab.fixture.ts'

const COMPLETIONS = 5
const PARALLELISM = 3

type Step = { what: 'succeed' | 'fail' | 'delete' | 'restart' | 'wait'; which: number }

const steps = fc.array(
  fc.record({
    what: fc.constantFrom<Step['what']>('succeed', 'fail', 'delete', 'restart', 'wait'),
    which: fc.nat(PARALLELISM - 1),
  }),
  { maxLength: 25 },
)

const indexOf = ({ metadata }: Pod) => metadata.annotations?.[INDEX_ANNOTATION] ?? ''

class Simulation {
  readonly #lab: JobLab
  readonly #indexed: boolean
  #stop: () => Promise<void>
  failures = 0
  readonly successes: string[] = []

  constructor(lab: JobLab, indexed: boolean, stop: () => Promise<void>) {
    this.#lab = lab
    this.#indexed = indexed
    this.#stop = stop
  }

  async take({ what, which }: Step): Promise<void> {
    const pod = (await this.#lab.active())[which]
    if (what === 'wait') await this.#lab.world.advance(600_000)
    else if (what === 'restart') {
      await this.#stop()
      this.#stop = this.#lab.run()
      await this.#lab.world.settle()
    } else if (pod) await this.#end(pod, what)
    await this.#check()
  }

  async #end(pod: Pod, what: Step['what']): Promise<void> {
    if (what === 'succeed') {
      this.successes.push(indexOf(pod))
      await this.#lab.end(pod, 'Succeeded')
      return
    }
    this.failures++
    const { name } = pod.metadata
    if (what === 'fail') await this.#lab.end(pod, 'Failed')
    else await this.#lab.world.client.delete(pods, { name, namespace: 'default' })
    await this.#lab.world.settle()
  }

  async #check(): Promise<void> {
    const active = await this.#lab.active()
    assert.ok(active.length <= Math.min(PARALLELISM, COMPLETIONS - this.successes.length))
    if (this.#indexed) assert.equal(new Set(active.map(indexOf)).size, active.length)
  }
}

for (const completionMode of ['Indexed', 'NonIndexed'] as const) {
  test(`each completion of a Job (${completionMode}) is counted exactly once`, async () => {
    const run = async (list: Step[]) => {
      await using lab = await JobLab.create({ running: false })
      const simulation = new Simulation(lab, completionMode === 'Indexed', lab.run())
      await lab.submit({
        completions: COMPLETIONS,
        parallelism: PARALLELISM,
        completionMode,
        backoffLimit: 1_000,
      })
      for (const step of list) await simulation.take(step)
      for (let round = 0; simulation.successes.length < COMPLETIONS; round++) {
        assert.ok(round < 20, 'the Job comes to an end')
        await simulation.take({ what: 'wait', which: 0 })
        await simulation.take({ what: 'succeed', which: 0 })
      }
      const { status } = await lab.job()
      assert.deepEqual([status.succeeded, status.failed ?? 0], [COMPLETIONS, simulation.failures])
      if (completionMode === 'Indexed') {
        assert.equal(status.completedIndexes, '0-4')
        assert.deepEqual(simulation.successes.toSorted(), ['0', '1', '2', '3', '4'])
      }
      assert.equal((await lab.conditions()).at(-1), 'Complete: CompletionsReached')
      assert.deepEqual(status.uncountedTerminatedPods, {})
    }
    await fc.assert(fc.asyncProperty(steps, run), { numRuns: 25 })
  })
}
