import { noJournal } from '../journal.ts'
import { JournaledStorage } from '../journaled-storage.ts'

/** A store that is gone when the process ends; for tests and simulations. */
export class MemoryStorage extends JournaledStorage {
  constructor() {
    super({ journal: noJournal })
  }
}
