// What a controller has asked for and its informer has not shown yet. While something is expected, nothing is created
// or deleted for that key, so that a slow informer never makes doubles. Upstream: UIDTrackingControllerExpectations.
import type { PassiveClock } from '../../base/clock.ts'

/** After this long an informer that has shown nothing is not waited for any longer. */
const EXPIRE_AFTER_MS = 300_000

interface Expected {
  creations: number
  /** 'namespace/name' of Pods. */
  deletions: Set<string>
  since: number
}

export class Expectations {
  readonly #clock: PassiveClock
  readonly #expected = new Map<string, Expected>()

  constructor(clock: PassiveClock) {
    this.#clock = clock
  }

  /** Both at once. */
  expect(key: string, creations: number, deletions: Iterable<string>): void {
    const expected = this.#start(key)
    expected.creations = creations
    expected.deletions = new Set(deletions)
  }

  expectCreations(key: string, count: number): void {
    this.#start(key).creations = count
  }

  expectDeletions(key: string, pods: Iterable<string>): void {
    this.#start(key).deletions = new Set(pods)
  }

  /** Also for a creation that failed and will never be seen. */
  creationObserved(key: string): void {
    const expected = this.#expected.get(key)
    if (expected) expected.creations--
  }

  /** Also for a deletion that failed. A Pod counts once, however often it is seen to go. */
  deletionObserved(key: string, pod: string): void {
    this.#expected.get(key)?.deletions.delete(pod)
  }

  /** Milliseconds until the controller may act for this key whatever was seen; 0 when it may now. */
  waitMs(key: string): number {
    const expected = this.#expected.get(key)
    if (!expected || (expected.creations <= 0 && expected.deletions.size === 0)) return 0
    return Math.max(0, expected.since + EXPIRE_AFTER_MS - this.#clock.now())
  }

  forget(key: string): void {
    this.#expected.delete(key)
  }

  #start(key: string): Expected {
    const expected = { creations: 0, deletions: new Set<string>(), since: this.#clock.now() }
    this.#expected.set(key, expected)
    return expected
  }
}
