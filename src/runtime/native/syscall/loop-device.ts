// Loop devices: files that the kernel shows as block devices (loop(4)). Each that is made here has a node of its own
// in /dev with the cluster's name, so that it is found again after a restart and never mistaken for somebody else's.
import { chmodSync, chownSync, closeSync, constants, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { checkResult, libc, makeBlockNode, SyscallError } from './libc.ts'

const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)')
const ioctlNumber = libc.func('int ioctl(int fd, unsigned long request, unsigned long argument)')

const REQUEST = {
  setFd: 0x4c00,
  clear: 0x4c01,
  setStatus: 0x4c04,
  getStatus: 0x4c05,
  setCapacity: 0x4c07,
  configure: 0x4c0a,
  getFree: 0x4c82,
} as const

const MAJOR = 7
/** struct loop_info64, and where its fields are. */
const INFO = { bytes: 232, device: 0, inode: 8, fileName: 56, fileNameBytes: 64 } as const
/** struct loop_config: descriptor and block size, then the info, then room for later. */
const CONFIG = { bytes: 304, info: 8 } as const
const TRIES = 20
/** Debian's and most others' group of disks. */
const DISK_GROUP = 6

const nodePrefix = (cluster: string) => `kubernode-${cluster}-loop`

/** Whose device it is and what it shows: the kernel keeps 63 bytes of it. */
const labelOf = (cluster: string, volume: string) => Buffer.from(`${cluster}/${volume}`).subarray(0, 63)

/** A device that shows the file: the one of before, if there is one. Answers the path of its node. */
export function attachLoop(cluster: string, volume: string, file: string): string {
  const attached = findLoop(cluster, file)
  if (attached) return attached
  for (let tries = 0; tries < TRIES; tries++) {
    const node = makeNode(cluster, freeNumber())
    try {
      configure(node, file, labelOf(cluster, volume))
      return node
    } catch (error) {
      rmSync(node, { force: true })
      // Somebody else took the free one first.
      if (!(error instanceof SyscallError) || error.code !== 'EBUSY') throw error
    }
  }
  throw new Error(`no loop device could be had for ${file}`)
}

/** The node of the cluster's device that shows the file. */
export function findLoop(cluster: string, file: string): string | undefined {
  const wanted = statSync(file, { bigint: true, throwIfNoEntry: false })
  if (!wanted) return undefined
  return nodesOf(cluster).find(node => {
    const info = infoOf(node)
    return (
      info?.readBigUInt64LE(INFO.inode) === wanted.ino && info.readBigUInt64LE(INFO.device) === wanted.dev
    )
  })
}

/** Shows the size that the file has now. */
export function refreshLoop(node: string): void {
  withDevice(node, fd =>
    checkResult(ioctlNumber(fd, REQUEST.setCapacity, 0), 'ioctl', `${node} LOOP_SET_CAPACITY`),
  )
}

/**
 * The device is free again when its last user has closed it; its node is gone at once. Not there: fine. Never touches
 * a node that was not made here.
 */
export function detachLoop(cluster: string, node: string): void {
  if (!nodesOf(cluster).includes(node)) return
  try {
    if (isOf(cluster, node))
      withDevice(node, fd => checkResult(ioctlNumber(fd, REQUEST.clear, 0), 'ioctl', `${node} LOOP_CLR_FD`))
  } catch (error) {
    if (!(error instanceof SyscallError) || error.code !== 'ENXIO') throw error
  }
  rmSync(node)
}

/** All that the cluster has on this machine. */
export function detachLoops(cluster: string): void {
  for (const node of nodesOf(cluster)) detachLoop(cluster, node)
}

function nodesOf(cluster: string): string[] {
  const prefix = nodePrefix(cluster)
  return readdirSync('/dev')
    .filter(name => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map(name => join('/dev', name))
}

/** What it shows was attached by this cluster, and not by somebody who was given the number later. */
function isOf(cluster: string, node: string): boolean {
  const label = infoOf(node)?.subarray(INFO.fileName, INFO.fileName + INFO.fileNameBytes)
  return label?.subarray(0, cluster.length + 1).toString() === `${cluster}/`
}

/** undefined: it shows nothing, or there is none of its number any more. */
function infoOf(node: string): Buffer | undefined {
  const info = Buffer.alloc(INFO.bytes)
  try {
    withDevice(node, fd =>
      checkResult(ioctl(fd, REQUEST.getStatus, info), 'ioctl', `${node} LOOP_GET_STATUS64`),
    )
    return info
  } catch (error) {
    if (['ENXIO', 'ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** The kernel makes another one when all are in use. */
function freeNumber(): number {
  const fd = openSync('/dev/loop-control', constants.O_RDWR)
  try {
    return checkResult(ioctlNumber(fd, REQUEST.getFree, 0), 'ioctl', 'LOOP_CTL_GET_FREE')
  } finally {
    closeSync(fd)
  }
}

function makeNode(cluster: string, number: number): string {
  const node = join('/dev', nodePrefix(cluster) + number)
  // One that stayed from a device that is free now.
  rmSync(node, { force: true })
  makeBlockNode(node, 0o660, { major: MAJOR, minor: number })
  // Whatever the umask is: as the machine's own disks.
  chmodSync(node, 0o660)
  chownSync(node, 0, DISK_GROUP)
  return node
}

function configure(node: string, file: string, label: Uint8Array): void {
  const backing = openSync(file, constants.O_RDWR)
  try {
    withDevice(node, fd => {
      const config = Buffer.alloc(CONFIG.bytes)
      config.writeUInt32LE(backing, 0)
      config.set(label, CONFIG.info + INFO.fileName)
      const result = ioctl(fd, REQUEST.configure, config)
      if (result >= 0) return
      try {
        checkResult(result, 'ioctl', `${node} LOOP_CONFIGURE`)
      } catch (error) {
        if (!(error instanceof SyscallError) || error.code !== 'EINVAL') throw error
        configureInSteps(fd, backing, config.subarray(CONFIG.info, CONFIG.info + INFO.bytes), node)
      }
    })
  } finally {
    closeSync(backing)
  }
}

/** Kernels before 5.8. */
function configureInSteps(fd: number, backing: number, info: Buffer, node: string): void {
  checkResult(ioctlNumber(fd, REQUEST.setFd, backing), 'ioctl', `${node} LOOP_SET_FD`)
  checkResult(ioctl(fd, REQUEST.setStatus, info), 'ioctl', `${node} LOOP_SET_STATUS64`)
}

function withDevice<T>(node: string, use: (fd: number) => T): T {
  const fd = openSync(node, constants.O_RDWR)
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}
