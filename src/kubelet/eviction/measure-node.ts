// What the node has left: memory, disk and process ids, from the kernel.
import { existsSync, readFileSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ImageService } from '../../runtime/cri/cri.generated.ts'
import type { Observation, Observations } from './threshold.ts'

/** Where the runtime says that it keeps images; the fallback for one that keeps them where the kubelet cannot see. */
export async function imageDirOf(
  runtime: Pick<ImageService, 'imageFsInfo'>,
  fallback: string,
): Promise<string> {
  const { imageFilesystems } = await runtime.imageFsInfo({}).catch(() => ({ imageFilesystems: [] }))
  const mountpoint = imageFilesystems[0]?.fsId?.mountpoint
  return mountpoint && existsSync(mountpoint) ? mountpoint : fallback
}

export const onSameDisk = (a: string, b: string): boolean =>
  statSync(nearestExisting(a)).dev === statSync(nearestExisting(b)).dev

/** `nodeDir` is on the disk of volumes and logs, `imageDir` on that of images; often the same one. */
export function observeNode(nodeDir: string, imageDir: string): Observations {
  const [nodeDisk, nodeInodes] = disk(nodeDir)
  const [imageDisk, imageInodes] = disk(imageDir)
  return {
    'memory.available': memory(),
    'nodefs.available': nodeDisk,
    ...(nodeInodes && { 'nodefs.inodesFree': nodeInodes }),
    'imagefs.available': imageDisk,
    ...(imageInodes && { 'imagefs.inodesFree': imageInodes }),
    'pid.available': processes(),
  }
}

/** What could be had without swapping: the machine may be shared with others, so not only what pods use counts. */
function memory(): Observation {
  const text = readFileSync('/proc/meminfo', 'utf8')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0)
  return { available: kilobytes('MemAvailable') * 1024, capacity: kilobytes('MemTotal') * 1024 }
}

function disk(dir: string): [Observation, Observation | undefined] {
  const { bavail, blocks, bsize, files, ffree } = statfsSync(nearestExisting(dir))
  // File systems without a fixed number of inodes report none.
  const inodes = files > 0 ? { available: ffree, capacity: files } : undefined
  return [{ available: bavail * bsize, capacity: blocks * bsize }, inodes]
}

const nearestExisting = (path: string): string => (existsSync(path) ? path : nearestExisting(dirname(path)))

/** The last field but one of loadavg counts all threads. */
function processes(): Observation {
  const capacity = Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'))
  const used = Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[3]?.split('/')[1] ?? 0)
  return { available: capacity - used, capacity }
}
