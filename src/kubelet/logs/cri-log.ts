// The lines of a CRI log file: '<RFC3339Nano> stdout|stderr F|P <text>'.

export interface LogEntry {
  /** As written. */
  time: string
  stream: 'stdout' | 'stderr'
  /** The line goes on in the next entry of the same stream. */
  partial: boolean
  text: Buffer
}

const SPACE = 0x20

/** A line without its newline; undefined when it is not in CRI format. */
export function parseLogLine(line: Buffer): LogEntry | undefined {
  const first = line.indexOf(SPACE)
  const second = line.indexOf(SPACE, first + 1)
  if (first <= 0 || second < 0) return undefined
  const third = line.indexOf(SPACE, second + 1)
  const end = third < 0 ? line.length : third
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  const tag = line.toString('latin1', second + 1, end).split(':')[0]
  return {
    time: line.toString('latin1', 0, first),
    stream,
    partial: tag === 'P',
    text: line.subarray(Math.min(line.length, end + 1)),
  }
}
