// What this machine must have before anything is started.
import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { PlainError } from '../base/plain-error.ts'

const MIN_FREE_BYTES = 64 * 1024 * 1024

/** Throws PlainError with what to install or allow. What the container runtime needs it checks itself. */
export function checkMachine(dataDir: string): void {
  if (process.platform !== 'linux') {
    throw new PlainError(
      `Kubernode runs containers on Linux; this is ${process.platform}: use a Linux machine.`,
    )
  }
  if (process.getuid!() !== 0) {
    throw new PlainError('Kubernode needs root to make containers, networks and cgroups: run it with sudo.')
  }
  if (!existsSync('/proc/self/ns/net')) {
    throw new PlainError(
      'Kubernode needs /proc and network namespaces: mount /proc, or use a kernel that has them.',
    )
  }
  const { bavail, bsize } = statfsSync(nearestExisting(dataDir))
  if (bavail * bsize < MIN_FREE_BYTES) {
    throw new PlainError(
      `Less than ${MIN_FREE_BYTES >> 20} MB are free on the disk of ${dataDir}: free some space or choose another --data-dir.`,
    )
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path))
}
