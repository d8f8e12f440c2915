// What a pod uses of the node, and what it has asked for. Only data.
import type { Pod } from '../../api/types/core-v1.ts'
import type { DiskFigures } from '../../base/disk-usage.ts'

/** Memory is the working set, in bytes. */
export interface ContainerUsage {
  name: string
  memory: number
  /** Its writable layer. */
  rootfs: DiskFigures
  logs: DiskFigures
}

export interface PodUsage {
  pod: Pod
  /** Effective priority. */
  priority: number
  /** Those that the runtime has figures of; none: nothing is known of the pod. */
  containers: ContainerUsage[]
  /** Each emptyDir on disk, by volume name. */
  emptyDirs: Record<string, DiskFigures>
  processes: number
}

/** What of a pod is on a disk. */
export type DiskShare = 'root' | 'logs' | 'volumes'

export const WHOLE: readonly DiskShare[] = ['root', 'logs', 'volumes']

export const memoryOf = ({ containers }: PodUsage): number =>
  containers.reduce((sum, { memory }) => sum + memory, 0)

export function diskOf({ containers, emptyDirs }: PodUsage, shares: readonly DiskShare[]): DiskFigures {
  const parts = [
    ...(shares.includes('root') ? containers.map(({ rootfs }) => rootfs) : []),
    ...(shares.includes('logs') ? containers.map(({ logs }) => logs) : []),
    ...(shares.includes('volumes') ? Object.values(emptyDirs) : []),
  ]
  const sum = (of: keyof DiskFigures) => parts.reduce((total, figures) => total + figures[of], 0)
  return { bytes: sum('bytes'), inodes: sum('inodes') }
}
