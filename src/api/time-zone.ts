// Wall clocks of IANA time zones, from the tables that come with Node.

export interface WallTime {
  year: number
  /** 1 to 12. */
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

const DAY_MS = 86_400_000

/** The names are those that Go's time.LoadLocation knows too, with their case. */
export class TimeZone {
  static readonly utc = new TimeZone('UTC')
  static readonly #known = new Map<string, TimeZone>()
  readonly name: string
  readonly #format: Intl.DateTimeFormat | undefined

  private constructor(name: string) {
    this.name = name
    if (name === 'UTC') return
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  }

  /** undefined when there is no such zone. */
  static find(name: string): TimeZone | undefined {
    if (name === '' || name === 'UTC') return TimeZone.utc
    const known = TimeZone.#known.get(name)
    if (known) return known
    // Offsets such as '+01:00' are no names for Go.
    if (!/^[A-Za-z]/.test(name)) return undefined
    try {
      const zone = new TimeZone(name)
      TimeZone.#known.set(name, zone)
      return zone
    } catch {
      return undefined
    }
  }

  /** What its clocks show at a moment (epoch milliseconds). */
  wallTime(ms: number): WallTime {
    const at = new Date(this.#shifted(ms))
    return {
      year: at.getUTCFullYear(),
      month: at.getUTCMonth() + 1,
      day: at.getUTCDate(),
      hour: at.getUTCHours(),
      minute: at.getUTCMinutes(),
      second: at.getUTCSeconds(),
    }
  }

  /** Milliseconds that its clocks are ahead of UTC. */
  offsetMs(ms: number): number {
    return this.#shifted(ms) - Math.floor(ms / 1_000) * 1_000
  }

  /**
   * The moment at which clocks show this; `month` and `day` may lie outside of their range. What is shown twice means
   * the first time; what is skipped, the moment as far after the gap's begin. As Go's time.Date.
   */
  moment({ year, month, day, hour, minute, second }: WallTime): number {
    const utc = Date.UTC(year, month - 1, day, hour, minute, second)
    const before = this.offsetMs(utc - DAY_MS)
    if (this.offsetMs(utc - before) === before) return utc - before
    const after = this.offsetMs(utc + DAY_MS)
    return this.offsetMs(utc - after) === after ? utc - after : utc - before
  }

  /** The wall clock as if it were UTC. */
  #shifted(ms: number): number {
    const seconds = Math.floor(ms / 1_000) * 1_000
    if (!this.#format) return seconds
    const part: Record<string, number> = {}
    for (const { type, value } of this.#format.formatToParts(seconds)) part[type] = Number(value)
    return Date.UTC(part.year!, part.month! - 1, part.day!, part.hour!, part.minute!, part.second!)
  }
}
