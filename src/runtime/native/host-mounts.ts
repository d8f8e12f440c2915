// Directories in which mounts travel between the machine and containers. The runtime's mount namespace only hears of
// the machine's mounts; in these directories it is also heard, for volumes with mountPropagation Bidirectional.
import { closeSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import type { Mount } from '../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../cri/cri-error.ts'
import { attachMounts, cloneMounts } from './syscall/libc.ts'
import { inNamespace, ownFileSystemView } from './syscall/namespaces.ts'

/** Puts the machine's own mount of the directory in place of the one that only listens. Once is enough. */
export function shareWithHost(directory: string): void {
  const mount = mountOf(directory, mountTable())
  if (mount?.point !== directory || mount.isShared) return
  ownFileSystemView()
  // The parent is in the machine's namespace: it started this process through nsenter.
  const fd = inNamespace('mnt', `/proc/${process.ppid}/ns/mnt`, () => cloneMounts(directory))
  try {
    attachMounts(fd, directory)
  } finally {
    closeSync(fd)
  }
}

/** Throws CriError, in containerd's words, when mounts could not travel as they are wanted to. */
export function checkPropagation(mounts: readonly Mount[], readTable = mountTable): void {
  const travelling = mounts.filter(
    ({ propagation = 'PROPAGATION_PRIVATE' }) => propagation !== 'PROPAGATION_PRIVATE',
  )
  if (travelling.length === 0) return
  const table = readTable()
  for (const { hostPath, propagation } of travelling) {
    const mount = mountOf(hostPath, table)
    const travels = mount?.isShared || (propagation === 'PROPAGATION_HOST_TO_CONTAINER' && mount?.isSlave)
    if (mount && travels) continue
    const needed = propagation === 'PROPAGATION_BIDIRECTIONAL' ? 'shared mount' : 'shared or slave mount'
    const where = `path "${hostPath}" is mounted on "${mount?.point ?? '/'}"`
    throw new CriError(CRI_CODE.unknown, `${where} but it is not a ${needed}`)
  }
}

/** Makes the paths of the machine that are to be mounted and are missing, as containerd does. Throws CriError. */
export function makeSources(mounts: readonly Mount[]): void {
  for (const { hostPath, image } of mounts) {
    if (image?.image || !hostPath || existsSync(hostPath)) continue
    try {
      mkdirSync(hostPath, { recursive: true, mode: 0o755 })
    } catch (error) {
      throw new CriError(CRI_CODE.unknown, `failed to mkdir "${hostPath}": ${(error as Error).message}`)
    }
  }
}

interface MountPoint {
  point: string
  isShared: boolean
  isSlave: boolean
}

function mountTable(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
}

/** The mount that a path is on: of those above it the longest, of equals the last. */
export function mountOf(path: string, table: string): MountPoint | undefined {
  let found: MountPoint | undefined
  for (const line of table.split('\n')) {
    const [before = ''] = line.split(' - ')
    const [, , , , point, , ...optional] = before.split(' ')
    if (!point || !isBelow(path, point) || point.length < (found?.point.length ?? 0)) continue
    const has = (kind: string) => optional.some(field => field.startsWith(kind))
    found = { point, isShared: has('shared:'), isSlave: has('master:') }
  }
  return found
}

const isBelow = (path: string, point: string) =>
  path === point || path.startsWith(point === '/' ? '/' : `${point}/`)
