// What is known of a volume beside it on the disk, so that it can be taken down without its object, and after a restart.
// Upstream: saveVolumeData, loadVolumeData.
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DATA_FILE } from './csi-paths.ts'

export interface VolumeData {
  driverName: string
  volumeHandle: string
  specVolID?: string
  nodeName?: string
  attachmentID?: string
  volumeLifecycleMode?: 'Persistent' | 'Ephemeral'
}

export function saveVolumeData(dir: string, data: VolumeData): void {
  mkdirSync(dir, { recursive: true, mode: 0o750 })
  const sorted = Object.fromEntries(Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(join(dir, DATA_FILE), `${JSON.stringify(sorted)}\n`, { mode: 0o600 })
}

/** Undefined when there is none that can be read. */
export function findVolumeData(dir: string): VolumeData | undefined {
  try {
    const data = JSON.parse(readFileSync(join(dir, DATA_FILE), 'utf8')) as Partial<VolumeData>
    const { driverName, volumeHandle } = data
    return driverName && volumeHandle ? { ...data, driverName, volumeHandle } : undefined
  } catch {
    return undefined
  }
}

/** With the folder, which must have nothing else in it: what is in a volume is never removed from here. */
export function removeVolumeData(dir: string): void {
  rmSync(join(dir, DATA_FILE), { force: true })
  removeEmptyDir(dir)
}

/** One that is not there is fine. */
export function removeEmptyDir(dir: string): void {
  try {
    rmdirSync(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

export function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
