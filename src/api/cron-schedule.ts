// Schedules of CronJobs: what may be written, and when the next moment is.
// Behaves as robfig/cron v3's ParseStandard, errors included, which CronJobs are documented by; croner differs in
// what it takes, in what it says and around changes of the clocks.
import { parseGoDuration } from './duration.ts'
import { TimeZone, type WallTime } from './time-zone.ts'

/** The text is no schedule; the message is upstream's. */
export class ScheduleError extends Error {}

export interface Schedule {
  /** The next moment after this one, epoch milliseconds; undefined when there is none within five years. */
  next(after: number): number | undefined
}

interface Bounds {
  min: number
  max: number
  names?: readonly string[]
}

interface Field {
  values: ReadonlySet<number>
  /** Written with a star: says nothing about days when the other day field does. */
  star: boolean
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const BOUNDS: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ['', ...MONTHS] },
  { min: 0, max: 6, names: DAYS },
]

const DESCRIPTORS: Record<string, string> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** Throws ScheduleError. The zone may also be written before the schedule: 'TZ=Europe/Berlin 0 4 * * *'. */
export function parseSchedule(text: string, zone: TimeZone = TimeZone.utc): Schedule {
  if (text === '') throw new ScheduleError('empty spec string')
  if (/^(CRON_)?TZ=/.test(text)) return parseZoned(text)
  if (text.startsWith('@')) return parseDescriptor(text, zone)
  const fields = text.split(/\s+/).filter(Boolean)
  if (fields.length !== BOUNDS.length) {
    throw new ScheduleError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)
  }
  const [minute, hour, day, month, weekday] = fields.map((field, at) => parseField(field, BOUNDS[at]!))
  return new FieldSchedule(
    { minute: minute!, hour: hour!, day: day!, month: month!, weekday: weekday! },
    zone,
  )
}

function parseZoned(text: string): Schedule {
  const space = text.indexOf(' ')
  const name = text.slice(text.indexOf('=') + 1, space < 0 ? undefined : space)
  const zone = TimeZone.find(name)
  if (!zone) throw new ScheduleError(`provided bad location ${name}: unknown time zone ${name}`)
  return parseSchedule(space < 0 ? '' : text.slice(space).trim(), zone)
}

function parseDescriptor(text: string, zone: TimeZone): Schedule {
  const fields = DESCRIPTORS[text]
  if (fields) return parseSchedule(fields, zone)
  if (!text.startsWith('@every ')) throw new ScheduleError(`unrecognized descriptor: ${text}`)
  const duration = text.slice('@every '.length)
  const ms = parseGoDuration(duration)
  if (ms === undefined) {
    throw new ScheduleError(
      `failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`,
    )
  }
  return new Interval(ms)
}

/** Every so many whole seconds, counted from the last time. */
class Interval implements Schedule {
  readonly #ms: number

  constructor(ms: number) {
    this.#ms = Math.max(1_000, Math.floor(ms / 1_000) * 1_000)
  }

  next(after: number): number {
    return Math.floor(after / 1_000) * 1_000 + this.#ms
  }
}

function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>()
  let star = false
  for (const part of text.split(',').filter(Boolean)) star = addRange(part, bounds, values) || star
  return { values, star }
}

/** Answers whether the part is a star. Upstream: getRange. */
function addRange(text: string, { min, max, names }: Bounds, values: Set<number>): boolean {
  const [range, stepText, ...moreSlashes] = text.split('/')
  const [low, high, ...moreHyphens] = range!.split('-')
  const isStar = low === '*' || low === '?'
  if (!isStar && moreHyphens.length > 0) throw new ScheduleError(`too many hyphens: ${text}`)
  const start = isStar ? min : parseValue(low!, names)
  let end = isStar ? max : high === undefined ? start : parseValue(high, names)
  if (moreSlashes.length > 0) throw new ScheduleError(`too many slashes: ${text}`)
  const step = stepText === undefined ? 1 : parseValue(stepText)
  // 'N/step' means from N on.
  if (stepText !== undefined && high === undefined) end = max
  if (start < min) throw new ScheduleError(`beginning of range (${start}) below minimum (${min}): ${text}`)
  if (end > max) throw new ScheduleError(`end of range (${end}) above maximum (${max}): ${text}`)
  if (start > end)
    throw new ScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${text}`)
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${text}`)
  for (let value = start; value <= end; value += step) values.add(value)
  return isStar && step === 1
}

function parseValue(text: string, names?: readonly string[]): number {
  const named = text === '' ? -1 : (names?.indexOf(text.toLowerCase()) ?? -1)
  if (named >= 0) return named
  if (!/^[+-]?\d+$/.test(text)) {
    const why = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`
    throw new ScheduleError(`failed to parse int from ${text}: ${why}`)
  }
  const value = Number(text)
  if (value < 0) throw new ScheduleError(`negative number (${value}) not allowed: ${text}`)
  return value
}

type Fields = Record<'minute' | 'hour' | 'day' | 'month' | 'weekday', Field>

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** A schedule that has no moment until then has none. */
const YEARS_AHEAD = 5

class FieldSchedule implements Schedule {
  readonly #fields: Fields
  readonly #zone: TimeZone

  constructor(fields: Fields, zone: TimeZone) {
    this.#fields = fields
    this.#zone = zone
  }

  /** Goes up field by field; whenever one runs over, all above are looked at again. Upstream: SpecSchedule.Next. */
  next(after: number): number | undefined {
    let at = Math.floor(after / 1_000) * 1_000 + 1_000
    const lastYear = this.#zone.wallTime(at).year + YEARS_AHEAD
    for (;;) {
      const wall = this.#zone.wallTime(at)
      if (wall.year > lastYear) return undefined
      const later = this.#step(at, wall)
      if (later === undefined) return at
      at = later
    }
  }

  /** The begin of the next month, day, hour or minute when this one does not fit; undefined when all fits. */
  #step(at: number, wall: WallTime): number | undefined {
    const { month, hour, minute } = this.#fields
    const { year, month: thisMonth, day } = wall
    const midnight = { hour: 0, minute: 0, second: 0 }
    if (!month.values.has(thisMonth)) {
      return this.#zone.moment({ year, month: thisMonth + 1, day: 1, ...midnight })
    }
    if (!this.#dayFits(wall)) return this.#midnight({ year, month: thisMonth, day: day + 1, ...midnight })
    if (!hour.values.has(wall.hour)) {
      return at + HOUR_MS - wall.minute * MINUTE_MS - wall.second * 1_000
    }
    if (!minute.values.has(wall.minute)) return at + MINUTE_MS - wall.second * 1_000
    return wall.second === 0 ? undefined : at + (60 - wall.second) * 1_000
  }

  /** Where clocks skip midnight the day begins at one. */
  #midnight(wall: WallTime): number {
    const moment = this.#zone.moment(wall)
    const { hour } = this.#zone.wallTime(moment)
    return hour > 12 ? moment + (24 - hour) * HOUR_MS : moment
  }

  #dayFits({ year, month, day: dayOfMonth }: WallTime): boolean {
    const { day, weekday } = this.#fields
    const byMonth = day.values.has(dayOfMonth)
    const byWeek = weekday.values.has(new Date(Date.UTC(year, month - 1, dayOfMonth)).getUTCDay())
    return day.star || weekday.star ? byMonth && byWeek : byMonth || byWeek
  }
}
