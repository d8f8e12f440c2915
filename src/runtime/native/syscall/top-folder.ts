// ext4 puts what is made in a folder into the folder's own part of the disk, which is right for files that belong
// together. Folders of pods and containers do not; all in one part, they slow one another down: where there is no
// journal, the numbers of files removed in the last minutes are passed over one by one for each new file.
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { libc } from './libc.ts'

const ioctl = libc.func('int ioctl(int fd, unsigned long request, _Inout_ int *flags)')

/** FS_IOC_GETFLAGS and FS_IOC_SETFLAGS, where a long has 64 bits. */
const REQUEST = { getFlags: 0x80086601, setFlags: 0x40086602 } as const
/** FS_TOPDIR_FL, the T of chattr(1). */
const TOP_OF_HIERARCHIES = 0x20000

/** With its parents, and as one whose folders are spread over the disk, where the file system knows of that. */
export function makeTopFolder(path: string, mode: number): void {
  mkdirSync(path, { recursive: true, mode })
  const fd = openSync(path, 'r')
  try {
    const flags = [0]
    if (ioctl(fd, REQUEST.getFlags, flags) < 0 || (flags[0]! & TOP_OF_HIERARCHIES) !== 0) return
    ioctl(fd, REQUEST.setFlags, [flags[0]! | TOP_OF_HIERARCHIES])
  } finally {
    closeSync(fd)
  }
}
