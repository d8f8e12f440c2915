// What happens to a container's rotated logs when another one joins them. Pure. Upstream: container_log_manager.go.

export interface RotationPlan {
  /** File names that go. */
  remove: string[]
  /** File names that are packed: all but the newest, which readers may still be at. */
  compress: string[]
}

/** `name` is the log's own file name; `files` are the names in its folder; `maxFiles` counts the log itself too. */
export function planRotation(name: string, files: readonly string[], maxFiles: number): RotationPlan {
  const mine = files.filter(file => file.startsWith(`${name}.`)).toSorted()
  const unfinished = mine.filter(file => file.endsWith('.tmp'))
  // A packed log whose original is still there was packed only in part.
  const packedTwice = mine.filter(file => file.endsWith('.gz') && mine.includes(file.slice(0, -3)))
  const rotated = mine.filter(file => !unfinished.includes(file) && !packedTwice.includes(file))
  const kept = Math.max(0, maxFiles - 2)
  const excess = rotated.slice(0, Math.max(0, rotated.length - kept))
  const compress = rotated.slice(excess.length).filter(file => !file.endsWith('.gz'))
  return { remove: [...unfinished, ...packedTwice, ...excess], compress }
}

/** 'N.log.20060102-150405' in UTC, as upstream names them; they sort by time. */
export function rotatedName(name: string, now: number): string {
  const [date, time] = new Date(now).toISOString().split('T') as [string, string]
  return `${name}.${date.replaceAll('-', '')}-${time.slice(0, 8).replaceAll(':', '')}`
}
