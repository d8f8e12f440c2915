// What `down --purge` takes away.
import { readdirSync, rmSync } from 'node:fs'

/** A directory on which a disk is mounted is only emptied. */
export function removeData(dataDir: string): void {
  try {
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
  } catch (error) {
    // Node 24 leaves out the code of what it cannot remove.
    const isBusy = /EBUSY|Device or resource busy/.test((error as Error).message)
    if (!isBusy || readdirSync(dataDir).length > 0) throw error
  }
}
