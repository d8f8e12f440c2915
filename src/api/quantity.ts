// resource.Quantity: exact amounts such as 100m, 1.5Gi, 1e3. Follows apimachinery pkg/api/resource/quantity.go.

export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent'

/** The text is no quantity. The message is upstream's. */
export class QuantityError extends Error {}

const SHAPE = /^([+-]?)(\d*)(?:\.(\d*))?([eE][+-]?\d+|[numkMGTPE]i?|[KMGTPE]i|)$/
const BAD_SHAPE =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"

const DECIMAL = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const
/** Amounts are kept in nano units; finer ones are rounded up, as upstream does. */
const NANO = 1_000_000_000n
/** Larger than this is capped: 2^63 - 1. */
const MAX = 9_223_372_036_854_775_807n * NANO

export class Quantity {
  readonly #nanos: bigint
  readonly #format: QuantityFormat

  private constructor(nanos: bigint, format: QuantityFormat) {
    this.#nanos = nanos > MAX ? MAX : nanos < -MAX ? -MAX : nanos
    this.#format = format
  }

  /** Throws QuantityError. Numbers are read as their decimal text, as JSON would show them. */
  static parse(value: string | number): Quantity {
    const text = String(value)
    const match = SHAPE.exec(text)
    if (!match) throw new QuantityError(BAD_SHAPE)
    const [, sign, whole = '', fraction = '', suffix = ''] = match
    if (whole === '' && fraction === '') throw new QuantityError(BAD_SHAPE)
    const { numerator, denominator, format } = scaleOf(suffix)
    const digits = BigInt(whole + fraction) * numerator * NANO
    const divisor = 10n ** BigInt(fraction.length) * denominator
    const magnitude = (digits + divisor - 1n) / divisor
    return new Quantity(sign === '-' ? -magnitude : magnitude, format)
  }

  static fromMilli(milli: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(milli) * 1_000_000n, format)
  }

  static fromValue(value: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
    return new Quantity(BigInt(value) * NANO, format)
  }

  static readonly zero = new Quantity(0n, 'DecimalSI')

  get isZero(): boolean {
    return this.#nanos === 0n
  }

  /** -1, 0 or 1. */
  get sign(): number {
    return this.#nanos === 0n ? 0 : this.#nanos < 0n ? -1 : 1
  }

  get format(): QuantityFormat {
    return this.#format
  }

  /** Whole units, rounded up (away from zero, as upstream). */
  value(): number {
    return Number(divideUp(this.#nanos, NANO))
  }

  /** Thousandths, rounded up. */
  milliValue(): number {
    return Number(divideUp(this.#nanos, 1_000_000n))
  }

  compare(other: Quantity): number {
    return this.#nanos === other.#nanos ? 0 : this.#nanos < other.#nanos ? -1 : 1
  }

  /** Keeps this quantity's format unless this one is zero. */
  add(other: Quantity): Quantity {
    return new Quantity(this.#nanos + other.#nanos, this.isZero ? other.#format : this.#format)
  }

  sub(other: Quantity): Quantity {
    return new Quantity(this.#nanos - other.#nanos, this.isZero ? other.#format : this.#format)
  }

  /** Canonical form: no fraction, the largest suffix that needs none. Upstream: CanonicalizeBytes. */
  toString(): string {
    if (this.#nanos === 0n) return '0'
    const binary =
      this.#format === 'BinarySI' && abs(this.#nanos) >= 1024n * NANO && this.#nanos % NANO === 0n
    return binary ? this.#binaryText() : this.#decimalText()
  }

  #binaryText(): string {
    let amount = this.#nanos / NANO
    let step = 0
    while (amount % 1024n === 0n && step < BINARY.length - 1) {
      amount /= 1024n
      step++
    }
    return `${amount}${BINARY[step]}`
  }

  #decimalText(): string {
    let amount = this.#nanos
    let step = 0
    while (amount % 1000n === 0n && step < DECIMAL.length - 1) {
      amount /= 1000n
      step++
    }
    if (this.#format !== 'DecimalExponent') return `${amount}${DECIMAL[step]}`
    const exponent = (step - 3) * 3
    return exponent === 0 ? `${amount}` : `${amount}e${exponent}`
  }
}

function scaleOf(suffix: string): { numerator: bigint; denominator: bigint; format: QuantityFormat } {
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix)
  if (exponent) {
    const power = Number(exponent[1])
    if (Math.abs(power) > 1_000) throw new QuantityError("unable to parse quantity's suffix")
    return power >= 0
      ? { numerator: 10n ** BigInt(power), denominator: 1n, format: 'DecimalExponent' }
      : { numerator: 1n, denominator: 10n ** BigInt(-power), format: 'DecimalExponent' }
  }
  const binary = BINARY.indexOf(suffix as (typeof BINARY)[number])
  if (binary > 0) return { numerator: 1024n ** BigInt(binary), denominator: 1n, format: 'BinarySI' }
  const decimal = DECIMAL.indexOf(suffix as (typeof DECIMAL)[number])
  if (decimal < 0) throw new QuantityError("unable to parse quantity's suffix")
  const power = (decimal - 3) * 3
  return power >= 0
    ? { numerator: 10n ** BigInt(power), denominator: 1n, format: 'DecimalSI' }
    : { numerator: 1n, denominator: 10n ** BigInt(-power), format: 'DecimalSI' }
}

const abs = (value: bigint) => (value < 0n ? -value : value)

function divideUp(value: bigint, by: bigint): bigint {
  const magnitude = (abs(value) + by - 1n) / by
  return value < 0n ? -magnitude : magnitude
}
