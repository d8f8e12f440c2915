// What JournaledStorage needs from whatever keeps its writes: a file, or nothing at all.
import type { StorageEvent } from './storage.ts'

/** A write as history and watchers see it. */
export type Change = Exclude<StorageEvent, { type: 'progress' }>

export interface Journal {
  /**
   * Called in the order of revisions, without waiting for the one before. Resolves when the change and
   * all before it are durable. After a rejection nothing more is appended. Throws at once when there is no room for
   * the change: then it was not appended, and the next may be.
   */
  append(change: Change): Promise<void>
  /** Changes kept with `after < revision <= through`, in order, at most `limit`. */
  read(after: number, through: number, limit: number): Change[]
  /** Forgets changes up to and including the revision; versions that are current at it stay. */
  compact(revision: number): Promise<void>
  close(): Promise<void>
}

/** Keeps nothing: for a store that lives in memory only. */
export const noJournal: Journal = {
  append: async () => {},
  read: () => [],
  compact: async () => {},
  close: async () => {},
}
