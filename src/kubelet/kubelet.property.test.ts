// Random pods on a whole kubelet, over the real API server and a fake runtime with virtual time: they live through
// exits, edits, probes that turn, lost sandboxes, restarts of kubelet and runtime, and deletion. The rules of
// lifecycle-rules.fixture.ts hold at every call, and in the end nothing is left. More runs: KUBELET_PROPERTY_RUNS.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pods as podResource } from '../api/resources.ts'
import { isNotFound } from '../api/status-error.ts'
import type { Container, RestartPolicy } from '../api/types/core-v1.ts'
import type { ContainerProgram } from '../runtime/fake/container-program.ts'
import { container, KubeletWorld } from './testing/kubelet-world.fixture.ts'
import { CheckedCri, checkHistory } from './testing/lifecycle-rules.fixture.ts'

const RUNS = Number(process.env.KUBELET_PROPERTY_RUNS ?? 12)
const GRACE = 20

interface Shape {
  /** What it does when it is asked to stop: milliseconds, or nothing. */
  stopsAfter: number | 'ignore'
  preStop: boolean
  probes: boolean
}
interface InitShape extends Shape {
  sidecar: boolean
  /** How often it fails before it succeeds, if it is no sidecar. */
  failures: number
  takesMs: number
}
interface PodShape {
  restartPolicy: RestartPolicy
  inits: InitShape[]
  apps: Shape[]
  legacy: boolean
}
type Move =
  | { move: 'exit'; which: number; code: number }
  | { move: 'image' | 'probe'; which: number }
  | { move: 'loseSandbox' | 'restartKubelet' | 'restartRuntime' }
  | { move: 'wait'; ms: number }

const shape = {
  stopsAfter: fc.oneof(fc.constant(0), fc.nat(8_000), fc.constant('ignore' as const)),
  preStop: fc.boolean(),
  probes: fc.boolean(),
}
const spec = fc.record({
  restartPolicy: fc.constantFrom(
    'Always' as const,
    'Always' as const,
    'OnFailure' as const,
    'Never' as const,
  ),
  inits: fc.array(
    fc.record({
      ...shape,
      sidecar: fc.boolean(),
      failures: fc.constantFrom(0, 0, 1, 2),
      takesMs: fc.constantFrom(0, 500, 3_000),
    }),
    { maxLength: 3 },
  ),
  apps: fc.array(fc.record(shape), { minLength: 1, maxLength: 2 }),
  /** The second app, if there is one, is a sidecar of the old form. */
  legacy: fc.boolean(),
})
const which = fc.nat(4)
const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ move: fc.constant('exit' as const), which, code: fc.constantFrom(0, 1, 42) }),
  },
  { weight: 4, arbitrary: fc.record({ move: fc.constant('wait' as const), ms: fc.nat(40_000) }) },
  { weight: 2, arbitrary: fc.record({ move: fc.constantFrom('image' as const, 'probe' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({
      move: fc.constantFrom('loseSandbox' as const, 'restartKubelet' as const, 'restartRuntime' as const),
    }),
  },
)
const end = fc.record({ grace: fc.option(fc.integer({ min: 0, max: GRACE })), shorten: fc.option(fc.nat(5)) })

class Life {
  readonly world: KubeletWorld
  readonly cri: CheckedCri
  readonly #failing = new Set<string>()

  constructor(world: KubeletWorld) {
    this.world = world
    this.cri = world.cri as CheckedCri
    this.cri.now = () => world.clock.now()
  }

  async begin({ restartPolicy, inits, apps, legacy }: PodShape) {
    const initContainers = inits.map((one, index) => this.#container(`i${index}`, one, one))
    const containers = apps.map((one, index) => {
      const made = this.#container(`c${index}`, one)
      return legacy && index === 1 ? { ...made, lifecycle: { ...made.lifecycle, type: 'Sidecar' } } : made
    })
    const pod = await this.world.createPod('p', {
      restartPolicy,
      terminationGracePeriodSeconds: GRACE,
      initContainers,
      containers,
    })
    this.cri.watched = { pod }
    await this.world.until('p', ({ status }) => status.startTime !== undefined)
    await this.quiet()
  }

  #container(name: string, { stopsAfter, preStop, probes }: Shape, init?: InitShape) {
    const stays = !init || init.sidecar
    let left = init?.failures ?? 0
    const failing = this.#failing
    const program: ContainerProgram = {
      ...(!stays && { exitAfterMs: init.takesMs }),
      get exitCode() {
        return stays || left-- <= 0 ? 0 : 1
      },
      onStopSignal: stopsAfter === 'ignore' ? 'ignore' : { afterMs: stopsAfter, exitCode: 143 },
      exec: ([word]) =>
        word === 'bye' ? { exitCode: 0, takesMs: 3_000 } : { exitCode: failing.has(name) ? 1 : 0 },
    }
    this.cri.programs.set(name, program)
    const probe = { exec: { command: ['well'] }, periodSeconds: 2, failureThreshold: 2, successThreshold: 1 }
    const full = stays && {
      ...(probes && { livenessProbe: probe, readinessProbe: probe, startupProbe: probe }),
    }
    return container(name, {
      ...(init?.sidecar && { restartPolicy: 'Always' }),
      ...full,
      ...(stays && preStop && { lifecycle: { preStop: { exec: { command: ['bye'] } } } }),
    }) as Container
  }

  async apply(move: Move): Promise<void> {
    const { cri, world } = this
    const running = cri.running()
    const all = this.cri.watched!.pod.spec
    const names = [...(all.initContainers ?? []), ...all.containers].map(({ name }) => name)
    if (move.move === 'exit' && running.length > 0) cri.exit(running[move.which % running.length]!, move.code)
    if (move.move === 'image') await this.#editImage(names[move.which % names.length]!)
    if (move.move === 'probe') {
      const name = names[move.which % names.length]!
      if (!this.#failing.delete(name)) this.#failing.add(name)
    }
    if (move.move === 'loseSandbox') cri.loseSandboxes()
    if (move.move === 'restartRuntime') cri.restart()
    if (move.move === 'restartKubelet') {
      await world.stopKubelet()
      world.startKubelet()
    }
    if (move.move === 'wait') await world.clock.advance(move.ms)
    await this.quiet()
  }

  async #editImage(name: string): Promise<void> {
    const list = name.startsWith('i') ? 'initContainers' : 'containers'
    const image = `example/app:${this.world.clock.now()}`
    const patch = { spec: { [list]: [{ name, image }] } }
    const key = { namespace: 'default', name: 'p' }
    await this.world.client.patch(podResource, key, 'application/strategic-merge-patch+json', patch)
  }

  /** Deletes the pod, perhaps again with less grace, and waits until nothing is left. */
  async finish({ grace, shorten }: { grace: number | null; shorten: number | null }): Promise<void> {
    await this.#delete(grace ?? GRACE)
    if (shorten !== null) {
      await this.world.clock.advance(1_000)
      await this.quiet()
      await this.#delete(shorten)
    }
    for (let turn = 0; turn < GRACE + 15; turn++) {
      await this.world.clock.advance(1_000)
      await this.quiet()
      if (this.cri.containers.size === 0 && (await this.#isGone())) return
    }
    assert.fail(`something is left: ${this.cri.running()} ${this.cri.calls.slice(-8)}`)
  }

  async #delete(gracePeriodSeconds: number): Promise<void> {
    const watched = this.cri.watched!
    watched.endingSince ??= this.world.clock.now()
    watched.grace = Math.min(watched.grace ?? GRACE, Math.max(1, gracePeriodSeconds))
    const key = { namespace: 'default', name: 'p' }
    await this.world.client.delete(podResource, key, { gracePeriodSeconds }).catch(error => {
      if (!isNotFound(error)) throw error
    })
    await this.quiet()
  }

  #isGone(): Promise<boolean> {
    return this.world.pod('p').then(
      () => false,
      () => true,
    )
  }

  /** Until neither calls nor statuses have come for a while: files are written in the machine's time. */
  async quiet(): Promise<void> {
    const count = () => this.cri.calls.length + this.world.seen.length
    for (let still = 0, before = -1, turns = 0; still < 4; still++) {
      assert.ok(++turns < 2_000, `it never rests: ${this.cri.calls.slice(-12)}`)
      await new Promise(resolve => setTimeout(resolve, 1))
      if (count() !== before) still = 0
      before = count()
    }
  }
}

test('whatever happens to a pod, the rules of its life hold, and in the end nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(spec, fc.array(moves, { maxLength: 10 }), end, async (pod, list, last) => {
      const world = await KubeletWorld.create({}, clock => new CheckedCri(clock))
      const life = new Life(world)
      try {
        await life.begin(pod)
        for (const move of list) await life.apply(move)
        await life.finish(last)
        assert.deepEqual(life.cri.broken, [])
        checkHistory(world.seen)
      } finally {
        await world.close()
      }
    }),
    { numRuns: RUNS, ...(process.env.SEED && { seed: Number(process.env.SEED), path: process.env.FCPATH! }) },
  )
})
