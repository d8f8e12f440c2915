// Random pods live through random exits and edits; what must always hold is checked after every step.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSidecar } from '../../api/pod/sidecar.ts'
import type { Container, Pod, PodPhase, PodStatus } from '../../api/types/core-v1.ts'
import { computeStatus, isTerminal } from '../status/compute-status.ts'
import { podOf, record, sandbox, sidecar, spec } from '../testing/pods.fixture.ts'
import { containerHash } from './container-hash.ts'
import { backOffKey, nextBackOff } from './crash-back-off.ts'
import { decide } from './decide.ts'
import { nothingObserved, type ObservedContainer, type ObservedPod } from './observed-pod.ts'

type Move =
  | { move: 'exit'; which: number; code: number }
  | { move: 'edit'; which: number }
  | { move: 'loseSandbox' }
  | { move: 'wait'; ms: number }

const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      move: fc.constant('exit' as const),
      which: fc.nat(5),
      code: fc.constantFrom(0, 0, 1, 42),
    }),
  },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('edit' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constant({ move: 'loseSandbox' as const }) },
  { weight: 3, arbitrary: fc.record({ move: fc.constant('wait' as const), ms: fc.nat(400_000) }) },
)

const pods = fc.record({
  restartPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
  inits: fc.array(fc.boolean(), { maxLength: 3 }),
  apps: fc.integer({ min: 1, max: 2 }),
})

/** A runtime that does what it is told, at once. */
class World {
  pod: Pod
  observed: ObservedPod = nothingObserved
  now = 1_000_000
  status: PodStatus = {}
  #made = 0

  constructor({
    restartPolicy,
    inits,
    apps,
  }: { restartPolicy: 'Always' | 'OnFailure' | 'Never'; inits: boolean[]; apps: number }) {
    this.pod = podOf({
      restartPolicy,
      initContainers: inits.map((stays, index) => (stays ? sidecar(`i${index}`) : spec(`i${index}`))),
      containers: Array.from({ length: apps }, (_, index) => spec(`c${index}`)),
    })
  }

  get all(): Container[] {
    return [...(this.pod.spec.initContainers ?? []), ...this.pod.spec.containers]
  }

  /** Decides and performs until there is nothing to do, checking every step. */
  settle(): void {
    for (let turn = 0; turn < 60; turn++) {
      this.#look()
      if (isTerminal(this.status.phase)) {
        this.#stopAll()
        return
      }
      const actions = decide(this.pod, this.observed, this.now).filter(
        ({ do: what }) => what !== 'checkAgain' && what !== 'holdBack',
      )
      if (actions.length === 0) return
      for (const action of actions) {
        if (action.do === 'killPod') {
          this.#stopAll()
          break
        }
        if (action.do === 'createSandbox') {
          const created = { ...sandbox, id: `s${action.attempt}`, attempt: action.attempt }
          this.observed = { ...this.observed, sandboxes: [created, ...this.observed.sandboxes] }
        }
        if (action.do === 'killContainer')
          this.#set(action.id, { state: 'exited', exitCode: 137, finishedAt: this.now })
        if (action.do === 'removeContainer') {
          this.observed = {
            ...this.observed,
            containers: this.observed.containers.filter(({ id }) => id !== action.id),
          }
        }
        if (action.do === 'removeSandbox') {
          this.observed = {
            ...this.observed,
            sandboxes: this.observed.sandboxes.filter(({ id }) => id !== action.id),
          }
        }
        if (action.do === 'startContainer') this.#start(action.name)
        this.#check()
      }
    }
    assert.fail('the pod never settles')
  }

  apply(move: Move): void {
    if (move.move === 'wait') this.now += move.ms
    if (move.move === 'loseSandbox') this.#stopAll()
    if (move.move === 'edit') this.#edit(move.which)
    if (move.move !== 'exit') return
    const running = this.observed.containers.filter(({ state }) => state === 'running')
    const chosen = running[move.which % Math.max(1, running.length)]
    if (chosen) this.#set(chosen.id, { state: 'exited', exitCode: move.code, finishedAt: this.now })
  }

  #edit(which: number): void {
    const name = this.all[which % this.all.length]!.name
    const changed = (list: Container[] = []) =>
      list.map(one => (one.name === name ? { ...one, image: `${one.image}x` } : one))
    const { spec: old } = this.pod
    const edited = {
      ...old,
      containers: changed(old.containers),
      initContainers: changed(old.initContainers),
    }
    this.pod = { ...this.pod, spec: edited }
  }

  #start(name: string): void {
    const container = this.all.find(one => one.name === name)!
    const before = this.observed.containers.find(one => one.name === name)
    if (before?.state === 'exited') {
      const key = backOffKey(this.pod, container)
      const next = nextBackOff(this.observed.backOffs[key], before.finishedAt, this.now)
      this.observed = { ...this.observed, backOffs: { ...this.observed.backOffs, [key]: next } }
    }
    const made: ObservedContainer = {
      ...record(name),
      id: `${name}-${++this.#made}`,
      sandboxId: this.observed.sandboxes[0]!.id,
      hash: containerHash(container),
      createdAt: this.#made,
      startedAt: this.now,
      restartCount: before ? before.restartCount + 1 : (this.#count(name) ?? -1) + 1,
    }
    this.observed = { ...this.observed, containers: [made, ...this.observed.containers] }
  }

  /** What the kubelet reads from the log files. */
  #count(name: string): number | undefined {
    const all = [...(this.status.initContainerStatuses ?? []), ...(this.status.containerStatuses ?? [])]
    const status = all.find(one => one.name === name)
    return status?.containerID || status?.lastState.terminated ? status.restartCount : undefined
  }

  #set(id: string, change: Partial<ObservedContainer>): void {
    const containers = this.observed.containers.map(one => (one.id === id ? { ...one, ...change } : one))
    this.observed = { ...this.observed, containers }
  }

  #stopAll(): void {
    for (const { id, state } of this.observed.containers) {
      if (state === 'running') this.#set(id, { state: 'exited', exitCode: 137, finishedAt: this.now })
    }
    const sandboxes = this.observed.sandboxes.map(one => ({ ...one, ready: false }))
    this.observed = { ...this.observed, sandboxes }
  }

  #look(): void {
    const before = this.status
    const facts = { hostIPs: ['192.168.1.5'], runtimeName: 'fake', terminal: false }
    this.status = computeStatus(this.pod, this.observed, before, facts, this.now)
    if (isTerminal(before.phase)) assert.equal(this.status.phase, before.phase as PodPhase)
    for (const kind of ['initContainerStatuses', 'containerStatuses'] as const) {
      for (const one of this.status[kind] ?? []) {
        const old = before[kind]?.find(({ name }) => name === one.name)
        assert.ok(one.restartCount >= (old?.restartCount ?? 0), `restartCount of ${one.name} fell`)
      }
    }
  }

  #check(): void {
    const runs = (name: string) =>
      this.observed.containers.filter(one => one.name === name && one.state === 'running').length
    for (const { name } of this.all) assert.ok(runs(name) <= 1, `${name} runs twice`)
    const regular = (this.pod.spec.initContainers ?? []).filter(init => !isSidecar(init))
    const running = regular.filter(({ name }) => runs(name) > 0)
    assert.ok(running.length <= 1, 'two regular init containers run')
    if (running.length === 0) return
    assert.ok(!this.pod.spec.containers.some(({ name }) => runs(name) > 0), 'an app runs before init is done')
  }
}

test('whatever exits, is edited or lost, the order of containers holds and counts never fall', () => {
  fc.assert(
    fc.property(pods, fc.array(moves, { maxLength: 25 }), (shape, list) => {
      const world = new World(shape)
      world.settle()
      for (const move of list) {
        world.apply(move)
        world.settle()
      }
    }),
    { numRuns: 400 },
  )
})
