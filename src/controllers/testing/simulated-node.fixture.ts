// A node without containers: its Pods become ready some time after they are created, and are gone some time after their
// deletion. Time is the test's; what happens when is drawn from a seed.
import { pods as podResource } from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import { formatTime } from '../../api/time.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { ControlWorld } from './control-world.fixture.ts'

export const NODE = 'node-1'

export interface SimulatedNodeOptions {
  /** 0…1 */
  random: () => number
  /** Most milliseconds until a Pod is ready, and until it is gone. */
  slownessMs?: number
  /** These Pods never become ready. */
  isBroken?: (pod: Pod) => boolean
}

const STATUS = { subresource: 'status' }

export class SimulatedNode {
  readonly #world: ControlWorld
  readonly #options: Required<SimulatedNodeOptions>
  /** Running Pods by name: their uids. */
  readonly running = new Map<string, string>()
  /** Two Pods of one name at once, should that ever happen. */
  readonly doubles: string[] = []
  readonly #going = new Set<string>()
  readonly #begun = new Set<string>()

  constructor(world: ControlWorld, options: SimulatedNodeOptions) {
    this.#world = world
    this.#options = { slownessMs: 5_000, isBroken: () => false, ...options }
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      for await (const { type, object } of this.#world.client.watch(podResource, { signal })) {
        if (type === 'ADDED' || type === 'MODIFIED') this.#noticed(object, signal)
        else if (type === 'DELETED') this.#stopped(object)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  #noticed(pod: Pod, signal: AbortSignal): void {
    const { uid, deletionTimestamp } = pod.metadata
    if (deletionTimestamp && !this.#going.has(uid)) {
      this.#going.add(uid)
      void this.#later(signal, () => this.#finish(pod))
    } else if (!deletionTimestamp && !this.#begun.has(uid)) {
      this.#begun.add(uid)
      void this.#begin(pod, signal)
    }
  }

  #stopped({ metadata: { name, uid } }: Pod): void {
    if (this.running.get(name) === uid) this.running.delete(name)
  }

  async #later(signal: AbortSignal, act: () => Promise<void>): Promise<void> {
    const { random, slownessMs } = this.#options
    try {
      await this.#world.clock.sleep(1 + Math.floor(random() * slownessMs), signal)
      await act()
    } catch (error) {
      if (!signal.aborted && !isNotFound(error) && !isConflict(error)) throw error
    }
  }

  async #begin(pod: Pod, signal: AbortSignal): Promise<void> {
    const { name, namespace, uid } = pod.metadata
    if (!pod.spec.nodeName) {
      const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, uid }, target: { name: NODE } }
      await this.#world.client
        .createSubresource(podResource, { name, namespace: namespace! }, 'binding', body)
        .catch(() => {})
    }
    const other = this.running.get(name)
    if (other && other !== uid) this.doubles.push(name)
    this.running.set(name, uid)
    if (!this.#options.isBroken(pod)) await this.#later(signal, () => this.setReady(pod, true))
  }

  /** Running, ready or not. */
  async setReady(pod: Pod, isReady: boolean): Promise<void> {
    const now = formatTime(this.#world.clock.now())
    await this.#change(pod, {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: now }],
    })
  }

  /** Its containers end for good. */
  async fail(pod: Pod): Promise<void> {
    const now = formatTime(this.#world.clock.now())
    await this.#change(pod, {
      phase: 'Failed',
      conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: now }],
    })
    this.#stopped(pod)
  }

  async #change({ metadata: { name, namespace, uid } }: Pod, status: Pod['status']): Promise<void> {
    const key = { name, namespace: namespace! }
    const patch = { metadata: { uid }, status }
    await this.#world.client.patch(podResource, key, 'application/merge-patch+json', patch, STATUS)
  }

  async #finish(pod: Pod): Promise<void> {
    const { name, namespace, uid } = pod.metadata
    this.#stopped(pod)
    await this.#world.client.delete(
      podResource,
      { name, namespace: namespace! },
      { gracePeriodSeconds: 0, preconditions: { uid } },
    )
  }
}

/** Marsaglia's xorshift: the same numbers for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
