// A cpio archive in the "newc" format, the one that the kernel unpacks as its first root file system
// (Documentation/driver-api/early-userspace/buffer-format.rst).

export interface CpioEntry {
  /** Without a leading slash; the folder above must come before. */
  path: string
  /** Type and permission bits of stat(2). */
  mode: number
  content?: Buffer
  /** Of a device. */
  device?: { major: number; minor: number }
}

export const FILE = 0o100000
export const FOLDER = 0o040000
export const CHARACTER_DEVICE = 0o020000

export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const members = entries.map((entry, index) => member(entry, index + 1))
  return Buffer.concat([...members, member({ path: 'TRAILER!!!', mode: 0 }, 0)])
}

function member({ path, mode, content = Buffer.alloc(0), device }: CpioEntry, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`)
  const [owner, group, links, changed] = [0, 0, 1, 0]
  const fields = [
    inode,
    mode,
    owner,
    group,
    links,
    changed,
    content.length,
    ...[0, 0],
    ...[device?.major ?? 0, device?.minor ?? 0],
    name.length,
    0,
  ]
  const header = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}`
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), padded(content)])
}

/** Headers and contents begin at multiples of four. */
function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}
