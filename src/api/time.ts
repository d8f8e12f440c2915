// metav1.Time and metav1.MicroTime: moments as the API writes them. Milliseconds since the epoch in, text out.

/** RFC 3339, whole seconds, UTC: '2026-01-02T03:04:05Z'. Fractions are cut off. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** RFC 3339 with six digits of a second: '2026-01-02T03:04:05.123000Z'. */
export function formatMicroTime(ms: number): string {
  const micros = Math.floor((ms % 1) * 1_000 + (ms < 0 && ms % 1 !== 0 ? 1_000 : 0))
  return `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}${String(micros).padStart(3, '0')}Z`
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/

/** Milliseconds (with a fraction where the text has one); undefined when the text is no RFC 3339 moment. */
export function parseTime(text: string): number | undefined {
  const match = RFC3339.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match
  const numbers = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (!isDate(numbers)) return undefined
  const [y, m, d, h, min, s] = numbers
  const moment = new Date(0)
  moment.setUTCFullYear(y, m - 1, d)
  moment.setUTCHours(h, min, s)
  const offset = zone === 'Z' ? 0 : offsetMs(zone)
  if (offset === undefined) return undefined
  return moment.getTime() - offset + (fraction ? Number(`0.${fraction}`) * 1_000 : 0)
}

function isDate([year, month, day, hour, minute, second]: readonly number[] & { length: 6 }): boolean {
  if (month! < 1 || month! > 12 || hour! > 23 || minute! > 59 || second! > 59) return false
  return day! >= 1 && day! <= new Date(Date.UTC(2000 + (year! % 400), month!, 0)).getUTCDate()
}

function offsetMs(zone: string): number | undefined {
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))]
  if (hours > 23 || minutes > 59) return undefined
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
