// A small disk of its own for a cluster's data directory: a file with a file system, mounted through a loop device.
import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync } from 'node:fs'

export class SmallDisk implements Disposable {
  readonly #directory: string
  readonly #file: string

  /** Mounts it on the directory. */
  constructor(directory: string, megabytes: number) {
    this.#directory = directory
    this.#file = `${directory}.disk`
    execFileSync('truncate', ['-s', `${megabytes}M`, this.#file])
    execFileSync('mkfs.ext4', ['-q', '-F', '-m0', '-N', '8192', this.#file])
    // Gone with its last user, even if a test is killed.
    execFileSync('mount', ['-o', 'loop', this.#file, directory])
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#directory)
    return bavail * bsize
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.#directory])
    rmSync(this.#file)
  }
}
