// Who takes which pod range of this machine: clusters that start at the same moment see no routes of each other yet.
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findRunning } from './running-cluster.ts'

const DIRECTORY = '/run/kubernode/.ranges'

/**
 * True when the range is the caller's from now on, who is told by the file that says which process runs its cluster.
 * What a crash left behind does not count.
 */
export function claimRange(range: string, runningFile: string, directory = DIRECTORY): boolean {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const [file, own] = [fileOf(range, directory), join(directory, `.${process.pid}`)]
  writeFileSync(own, runningFile, { mode: 0o600 })
  try {
    if (linked(own, file)) return true
    const owner = ownerOf(file)
    if (owner === runningFile) return true
    if (owner !== undefined && findRunning(owner)) return false
    rmSync(file, { force: true })
    return linked(own, file)
  } finally {
    rmSync(own, { force: true })
  }
}

/** Somebody else's stays. */
export function releaseRange(range: string, runningFile: string, directory = DIRECTORY): void {
  const file = fileOf(range, directory)
  if (ownerOf(file) === runningFile) rmSync(file, { force: true })
}

const fileOf = (range: string, directory: string) => join(directory, range.replace('/', '-'))

/** A link appears whole or not at all, and only where there is none. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function ownerOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
