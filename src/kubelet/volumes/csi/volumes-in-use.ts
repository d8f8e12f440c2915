/** Which Pods here use, or are about to use, which volume. Known anew from the disk after a restart. */
export class VolumesInUse {
  /** By unique name. */
  readonly #users = new Map<string, Set<string>>()

  /** Without a uid: it is here, and nobody uses it. */
  add(volume: string, uid?: string): void {
    const users = this.#users.get(volume) ?? new Set()
    this.#users.set(volume, users)
    if (uid !== undefined) users.add(uid)
  }

  /** The Pod has let go of it: without any other it is not in use. */
  release(volume: string, uid: string): void {
    const users = this.#users.get(volume)
    users?.delete(uid)
    if (users?.size === 0) this.#users.delete(volume)
  }

  isUsedByOthers(volume: string, uid: string): boolean {
    return [...(this.#users.get(volume) ?? [])].some(user => user !== uid)
  }

  of(uid: string): string[] {
    return [...this.#users].filter(([, users]) => users.has(uid)).map(([volume]) => volume)
  }

  all(): string[] {
    return [...this.#users.keys()].sort()
  }
}
