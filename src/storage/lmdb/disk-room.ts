// Room for the store's next commits, kept allocated on the disk behind the end of its file. A write that might not fit
// is refused before LMDB sees it: a commit that fails half-way is the end of a store, a refused write is only an error.
import { closeSync, fstatSync, openSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import koffi from 'koffi'
import { internalError, type StatusError } from '../../api/status-error.ts'

/** Left over for the pages that a commit touches beside its records. */
const SPARE_BYTES = 2 * 2 ** 20
/** Allocated at once. */
const STEP_BYTES = 8 * 2 ** 20
/** A record may be copied together with its neighbours on the page. */
const COPIES = 2
const KEEP_SIZE = 1

export class DiskRoom {
  readonly #fd: number
  readonly #file: string
  #pending = 0

  /** `file` exists. */
  constructor(file: string) {
    this.#file = file
    this.#fd = openSync(file, 'r+')
    this.#reserve(SPARE_BYTES)
  }

  /** Throws StatusError, and changes nothing, when a record of this size might not fit; else to be given back. */
  take(bytes: number): void {
    if (!this.tryTake(bytes)) throw this.#full()
  }

  /** Whether there was room, and it is taken now. */
  tryTake(bytes: number): boolean {
    const needed = SPARE_BYTES + (this.#pending + bytes) * COPIES
    if (this.#ahead() < needed && !this.#reserve(needed)) return false
    this.#pending += bytes
    return true
  }

  /** The record is on the disk, or never will be. */
  give(bytes: number): void {
    this.#pending -= bytes
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** Allocated bytes behind the end of the file. */
  #ahead(): number {
    const { blocks, size } = fstatSync(this.#fd)
    return blocks * 512 - size
  }

  /** Whether at least this much is there now. */
  #reserve(needed: number): boolean {
    const { bavail, bsize } = statfsSync(dirname(this.#file))
    const free = bavail * bsize
    if (free + Math.max(this.#ahead(), 0) < needed) return false
    const { size } = fstatSync(this.#fd)
    const length = Math.min(Math.max(needed, STEP_BYTES), needed + free)
    const isReserved = allocate(this.#fd, size, length) || allocate(this.#fd, size, needed)
    // Not every file system can keep room free; there what is free now has to do.
    return isReserved ? this.#ahead() >= needed : free >= needed
  }

  #full(): StatusError {
    const text = `the disk of ${dirname(this.#file)} is full: nothing can be written until there is room again`
    return internalError(text)
  }
}

type Allocate = (fd: number, mode: number, offset: number, length: number) => number

let bound: Allocate | undefined

/** fallocate(2) behind the end of the file, which stays where it is. */
function allocate(fd: number, offset: number, length: number): boolean {
  const signature = 'int fallocate(int fd, int mode, int64_t offset, int64_t length)'
  bound ??= koffi.load(null).func(signature) as Allocate
  return bound(fd, KEEP_SIZE, offset, length) === 0
}
