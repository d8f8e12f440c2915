// What a pod uses of the node, and what it has asked for. Only data.
import type { Pod } from '../../api/types/core-v1.ts'

/** Bytes; memory is the working set. */
export interface ContainerUsage {
  name: string
  memory: number
  /** Its writable layer. */
  rootfs: number
  logs: number
}

export interface PodUsage {
  pod: Pod
  /** Effective priority. */
  priority: number
  containers: ContainerUsage[]
  /** Bytes of each emptyDir on disk, by volume name. */
  emptyDirs: Record<string, number>
}

export const memoryOf = ({ containers }: PodUsage): number =>
  containers.reduce((sum, { memory }) => sum + memory, 0)

export const diskOf = ({ containers, emptyDirs }: PodUsage): number =>
  containers.reduce((sum, { rootfs, logs }) => sum + rootfs + logs, 0) +
  Object.values(emptyDirs).reduce((sum, bytes) => sum + bytes, 0)
