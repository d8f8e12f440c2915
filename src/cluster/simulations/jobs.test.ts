// Jobs on a whole cluster with virtual time: API server, scheduler, Job controller, kubelet, and a runtime whose
// containers end as they are told, while Pods are deleted and kubelet and controller are restarted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Draft } from '../../api/kube-object.ts'
import { jobs, pods } from '../../api/resources.ts'
import type { Job } from '../../api/types/batch-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { silentLog } from '../../base/log.ts'
import { EventsV1Recorder } from '../../client/events/events-v1-recorder.ts'
import { JobController } from '../../controllers/job/job-controller.ts'
import { INDEX_ANNOTATION, isFinished } from '../../controllers/job/job-facts.ts'
import { container, KubeletWorld } from '../../kubelet/testing/kubelet-world.fixture.ts'
import { Scheduler } from '../../scheduler/scheduler.ts'

const COMPLETIONS = 4
const KEY = { name: 'task', namespace: 'default' }

type Move = 'wait' | 'delete' | 'restartKubelet' | 'restartController'

class Simulation implements AsyncDisposable {
  readonly world: KubeletWorld
  #controller: { abort: AbortController; done: Promise<void> } | undefined
  readonly #scheduler = new AbortController()
  readonly #scheduled: Promise<unknown>

  private constructor(world: KubeletWorld) {
    this.world = world
    const { client, clock } = world
    const options = { client, clock, log: silentLog }
    const recorder = new EventsV1Recorder({ ...options, reportingController: 's', hostname: 'node-1' })
    this.#scheduled = new Scheduler({ ...options, recorder }).run(this.#scheduler.signal)
    this.startController()
  }

  /** `exitCodes`: of the containers in the order in which they are made; then all succeed. */
  static async create(exitCodes: readonly number[]): Promise<Simulation> {
    const world = await KubeletWorld.create()
    const left = [...exitCodes]
    world.cri.behaviours.set('main', () => left.shift() ?? 0)
    return new Simulation(world)
  }

  startController(): void {
    const { client, clock } = this.world
    const abort = new AbortController()
    const controller = new JobController({ client, clock, log: silentLog })
    this.#controller = { abort, done: controller.run(abort.signal) }
  }

  async stopController(): Promise<void> {
    this.#controller?.abort.abort()
    await this.#controller?.done
  }

  async submit(): Promise<void> {
    const template = { spec: { restartPolicy: 'Never', containers: [container('main')] } }
    const spec = {
      completions: COMPLETIONS,
      parallelism: 2,
      completionMode: 'Indexed',
      backoffLimit: 1_000,
      template,
    }
    await this.world.client.create(jobs, { metadata: KEY, spec } as unknown as Draft<Job>)
  }

  job(): Promise<Job> {
    return this.world.client.get(jobs, KEY)
  }

  async pods(): Promise<Pod[]> {
    return (await this.world.client.list(pods)).items
  }

  async make(move: Move, which: number): Promise<void> {
    if (move === 'delete') {
      const list = (await this.pods()).filter(({ metadata }) => !metadata.deletionTimestamp)
      const pod = list[which % Math.max(1, list.length)]
      // What has succeeded stays, so that it can be counted at the end.
      if (pod && pod.status.phase !== 'Succeeded') {
        await this.world.client.delete(pods, { name: pod.metadata.name, namespace: 'default' })
      }
    } else if (move === 'restartKubelet') {
      await this.world.stopKubelet()
      this.world.startKubelet()
    } else if (move === 'restartController') {
      await this.stopController()
      this.startController()
    }
    await this.pass(move === 'wait' ? 30_000 : 100)
  }

  /** Virtual time, and a little real time for files. */
  async pass(ms: number): Promise<void> {
    await this.world.clock.advance(ms)
    for (let turn = 0; turn < 15; turn++) await new Promise(resolve => setTimeout(resolve, 1))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopController()
    this.#scheduler.abort()
    await this.#scheduled
    await this.world.close()
  }
}

const moves = fc.array(
  fc.tuple(fc.constantFrom<Move>('wait', 'delete', 'restartKubelet', 'restartController'), fc.nat(3)),
  { maxLength: 8 },
)
const exitCodes = fc.array(fc.constantFrom(0, 1, 1, 42), { maxLength: 5 })

test('each index of a Job succeeds in exactly one Pod, whatever happens meanwhile', async () => {
  const run = async (codes: number[], list: [Move, number][]) => {
    await using simulation = await Simulation.create(codes)
    await simulation.submit()
    await simulation.pass(1_000)
    for (const [move, which] of list) await simulation.make(move, which)
    for (let round = 0; !isFinished(await simulation.job()); round++) {
      assert.ok(round < 60, `the Job comes to an end: ${JSON.stringify((await simulation.job()).status)}`)
      await simulation.pass(60_000)
    }
    const { status } = await simulation.job()
    assert.deepEqual([status.completedIndexes, status.succeeded], ['0-3', COMPLETIONS])
    const succeeded = (await simulation.pods())
      .filter(pod => pod.status.phase === 'Succeeded')
      .map(({ metadata }) => metadata.annotations?.[INDEX_ANNOTATION])
    assert.deepEqual(succeeded.sort(), ['0', '1', '2', '3'])
  }
  await fc.assert(fc.asyncProperty(exitCodes, moves, run), { numRuns: 6 })
})
