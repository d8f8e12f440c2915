import { accessSync, chmodSync, constants, mkdirSync, readdirSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { PlainError } from '../../base/plain-error.ts'
import type { Journal } from '../journal.ts'
import { JournaledStorage } from '../journaled-storage.ts'
import type { Storage } from '../storage.ts'
import { lockDirectory } from './directory-lock.ts'
import { LmdbJournal } from './lmdb-journal.ts'

/** LMDB maps its lock file into memory; on a full disk that kills the process instead of failing. */
const LEAST_FREE_BYTES = 1024 * 1024
/** Changes kept in memory for watches that start a little in the past; older ones are read from disk. */
const HISTORY_IN_MEMORY = 5_000

export interface LmdbStorageOptions {
  /** Made (0700) when missing. One process at a time may have it open. */
  directory: string
  /** Called once when a write fails; nothing is acknowledged from then on. The process should stop. */
  onFatal: (error: unknown) => void
}

/**
 * Opens the store and loads every current version. A write is acknowledged when it would survive a power cut.
 * Throws PlainError when the directory is locked, not writable, or its disk is full.
 */
export function openLmdbStorage({ directory, onFatal }: LmdbStorageOptions): Storage {
  prepareDirectory(directory)
  const lock = lockDirectory(directory)
  try {
    const journal = new LmdbJournal(directory)
    for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o600)
    const loaded = journal.load()
    return new JournaledStorage({
      journal: releasing(journal, lock),
      ...(loaded && { loaded }),
      historyInMemory: HISTORY_IN_MEMORY,
      onFatal,
    })
  } catch (error) {
    lock.release()
    throw error
  }
}

function prepareDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    accessSync(directory, constants.W_OK | constants.X_OK)
    chmodSync(directory, 0o700)
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new PlainError(
      `the store's directory ${directory} cannot be written to (${why}); choose another one or mend its permissions`,
      { cause: error },
    )
  }
  const { bavail, bsize } = statfsSync(directory)
  if (bavail * bsize < LEAST_FREE_BYTES) {
    throw new PlainError(
      `the disk that holds the store's directory ${directory} is full; free some space or choose another one`,
    )
  }
}

/** The journal, giving the directory back when it is closed. */
function releasing(journal: Journal, lock: { release(): void }): Journal {
  return {
    append: change => journal.append(change),
    read: (after, through, limit) => journal.read(after, through, limit),
    compact: revision => journal.compact(revision),
    async close() {
      try {
        await journal.close()
      } finally {
        lock.release()
      }
    },
  }
}
