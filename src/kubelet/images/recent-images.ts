// What the runtime said of an image a moment ago, for the next container of the same pod: a chain of quick init
// containers asks once, not twice for each.
import type { PassiveClock } from '../../base/clock.ts'
import type { Image } from '../../runtime/cri/cri.generated.ts'

/** As late may a tag that somebody moves meanwhile be noticed. */
const RECENT_MS = 1_000

export class RecentImages {
  readonly #clock: PassiveClock
  /** By pod uid, then by image name. */
  readonly #pods = new Map<string, Map<string, { image: Image; until: number }>>()

  constructor(clock: PassiveClock) {
    this.#clock = clock
  }

  /** Undefined when it was not looked up for this pod within the last second. */
  find(uid: string, name: string): Image | undefined {
    const seen = this.#pods.get(uid)?.get(name)
    return seen && seen.until > this.#clock.now() ? seen.image : undefined
  }

  seen(uid: string, name: string, image: Image): void {
    const images = this.#pods.get(uid) ?? new Map()
    this.#pods.set(uid, images.set(name, { image, until: this.#clock.now() + RECENT_MS }))
  }

  forget(uid: string): void {
    this.#pods.delete(uid)
  }
}
