// Writes tar archives entry by entry for tests, also ones that no honest tar would write.

export interface TarEntry {
  name: string
  /** '0' file, '1' hard link, '2' symbolic link, '5' directory. */
  type?: string
  content?: string | Buffer
  link?: string
  mode?: number
  uid?: number
  gid?: number
  mtime?: number
  /** Written as an extended header in front of the entry. */
  pax?: Record<string, string>
}

const BLOCK = 512

export const file = (
  name: string,
  content: string | Buffer = '',
  more: Partial<TarEntry> = {},
): TarEntry => ({
  name,
  content,
  ...more,
})
export const directory = (name: string, more: Partial<TarEntry> = {}): TarEntry => ({
  name: `${name}/`,
  type: '5',
  mode: 0o755,
  ...more,
})
export const symlink = (name: string, link: string): TarEntry => ({ name, type: '2', link })
export const hardLink = (name: string, link: string): TarEntry => ({ name, type: '1', link })

export function tarOf(entries: readonly TarEntry[], { trailer = true } = {}): Buffer {
  const parts = entries.flatMap(entry => [...(entry.pax ? paxHeader(entry.pax) : []), ...blocks(entry)])
  return Buffer.concat(trailer ? [...parts, Buffer.alloc(2 * BLOCK)] : parts)
}

function blocks(entry: TarEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? '')
  return [header(entry, content.length), content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]
}

function paxHeader(records: Record<string, string>): Buffer[] {
  const content = Object.entries(records).map(paxRecord).join('')
  return blocks({ name: 'PaxHeader', type: 'x', content })
}

function paxRecord([key, value]: [string, string]): string {
  const rest = ` ${key}=${value}\n`
  let length = Buffer.byteLength(rest)
  while (String(length).length + Buffer.byteLength(rest) !== length)
    length = String(length).length + Buffer.byteLength(rest)
  return `${length}${rest}`
}

function header(entry: TarEntry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  block.write(entry.name, 0, 100)
  octal(entry.mode ?? 0o644, 100, 8)
  octal(entry.uid ?? 0, 108, 8)
  octal(entry.gid ?? 0, 116, 8)
  octal(size, 124, 12)
  octal(entry.mtime ?? 1_000_000, 136, 12)
  block.write(entry.type ?? '0', 156)
  block.write(entry.link ?? '', 157, 100)
  block.write('ustar\x0000', 257, 'latin1')
  block.fill(' ', 148, 156)
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return block
}
