// Durations as Go writes them (1m20s) and as kubectl shows ages (3d4h).

const MICRO = 1e-3
const UNITS: Record<string, number> = {
  ns: 1e-6,
  us: MICRO,
  µs: MICRO,
  μs: MICRO,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

/** time.Duration.String: '0s', '1.5s', '1m20s', '5m0s', '1h0m0s', '250ms'. */
export function goDuration(ms: number): string {
  if (ms === 0) return '0s'
  const sign = ms < 0 ? '-' : ''
  const size = Math.abs(ms)
  if (size < MICRO) return `${sign}${Math.round(size * 1e6)}ns`
  if (size < 1) return `${sign}${decimal(size * 1e3)}µs`
  if (size < 1_000) return `${sign}${decimal(size)}ms`
  const hours = Math.floor(size / 3_600_000)
  const minutes = Math.floor((size % 3_600_000) / 60_000)
  const seconds = decimal((size % 60_000) / 1_000)
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`
}

/** Up to nine decimals, without trailing zeros. */
const decimal = (value: number) => String(Number(value.toFixed(9)))

/** Milliseconds, or undefined when the text is no Go duration. */
export function parseGoDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0
  if (!/^[+-]?((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined
  const sum = [...text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)].reduce(
    (total, [, amount, unit]) => total + Number(amount) * UNITS[unit!]!,
    0,
  )
  return text.startsWith('-') ? -sum : sum
}

/** AGE columns. Upstream: apimachinery pkg/util/duration HumanDuration. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1_000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return withRest(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return withRest(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  if (hours < 192) return withRest(Math.trunc(hours / 24), 'd', hours % 24, 'h')
  const days = Math.trunc(hours / 24)
  if (days < 730) return `${days}d`
  if (days < 2920) return withRest(Math.trunc(days / 365), 'y', days % 365, 'd')
  return `${Math.trunc(days / 365)}y`
}

const withRest = (amount: number, unit: string, rest: number, restUnit: string) =>
  rest === 0 ? `${amount}${unit}` : `${amount}${unit}${rest}${restUnit}`
