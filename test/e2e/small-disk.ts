// A small disk of its own for a cluster's data directory: a file with a file system, mounted through a loop device.
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'

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

  /** Leaves nothing free; a file that `makeRoom` removes takes it all. */
  fill(): void {
    const file = openSync(this.#filler, 'a')
    try {
      for (const bytes of [2 ** 20, 4096, 512]) {
        while (appended(file, bytes)) {}
      }
    } finally {
      closeSync(file)
    }
  }

  makeRoom(): void {
    rmSync(this.#filler)
  }

  get #filler(): string {
    return join(this.#directory, 'filler')
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.#directory])
    rmSync(this.#file)
  }
}

function appended(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    return false
  }
}
