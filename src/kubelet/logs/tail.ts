// Where the last lines of a file begin. Upstream: pkg/util/tail FindTailLineStartIndex.
import type { FileHandle } from 'node:fs/promises'

const BLOCK = 64 * 1024
const NEWLINE = 0x0a

/** Offset of the first of the last `lines` lines; 0 when there are fewer. A last line without newline counts. */
export async function tailStart(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat()
  if (lines <= 0) return size
  let left = lines
  let end = size
  const buffer = Buffer.alloc(BLOCK)
  while (end > 0) {
    const start = Math.max(0, end - BLOCK)
    const { bytesRead } = await file.read(buffer, 0, end - start, start)
    for (let index = bytesRead - 1; index >= 0; index--) {
      if (buffer[index] !== NEWLINE || start + index === size - 1) continue
      if (--left === 0) return start + index + 1
    }
    end = start
  }
  return 0
}
