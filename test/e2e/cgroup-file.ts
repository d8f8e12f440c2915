// The kernel's own word on a container's limits, on either cgroup version.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Pod } from '../../src/api/types/core-v1.ts'

const MOUNT = '/sys/fs/cgroup'
const isUnified = existsSync(join(MOUNT, 'cgroup.controllers'))

/** Of a container, or of the whole pod when no container is named. */
export function cgroupFile(cluster: string, pod: Pod, container: string | undefined, file: string): string {
  const { qosClass = 'BestEffort', containerStatuses = [] } = pod.status
  const qos = qosClass === 'Guaranteed' ? '' : qosClass.toLowerCase()
  const found = containerStatuses.find(({ name }) => name === container)
  const id = found?.containerID?.split('://')[1] ?? ''
  const path = join(cluster, 'kubepods', qos, `pod${pod.metadata.uid}`, id)
  return readFileSync(join(MOUNT, isUnified ? '' : file.split('.')[0]!, path, file), 'utf8').trim()
}

/** Microseconds per 100 ms. */
export const cpuQuota = (cluster: string, pod: Pod, container?: string): string =>
  cgroupFile(cluster, pod, container, isUnified ? 'cpu.max' : 'cpu.cfs_quota_us').split(' ')[0]!

export const memoryLimit = (cluster: string, pod: Pod, container?: string): string =>
  cgroupFile(cluster, pod, container, isUnified ? 'memory.max' : 'memory.limit_in_bytes')
