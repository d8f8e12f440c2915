// How fast processor time is used, from readings of its total. Pure.

/** Times and totals in nanoseconds. */
export interface CpuSample {
  at: number
  total: number
}

/** A rate over less than this says more about chance than about use. */
const SHORTEST = 5e9
/** A reading older than this is no longer «now». */
const LONGEST = 60e9

/**
 * The rate in nanoseconds per second since the youngest reading that is old enough; before there is one, since the
 * start, when nothing had been used. Undefined when even that is too short a time ago. Answers the readings to keep.
 */
export function cpuRate(
  samples: readonly CpuSample[],
  now: CpuSample,
  startedAt: number,
): { samples: CpuSample[]; rate?: number } {
  const young = samples.filter(({ at, total }) => now.at - at <= LONGEST && total <= now.total)
  const base = young.findLast(({ at }) => now.at - at >= SHORTEST) ?? { at: startedAt, total: 0 }
  const last = young.at(-1)
  const kept = last && now.at - last.at < SHORTEST / 2 ? young : [...young, now]
  const span = now.at - base.at
  const usable = base.at > 0 && span >= SHORTEST / 5
  return { samples: kept, ...(usable && { rate: Math.round(((now.total - base.total) * 1e9) / span) }) }
}
