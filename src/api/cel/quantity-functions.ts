// Quantities and versions. Upstream: apiserver cel/library/{quantity,semver}.go.
import type { Environment } from '@marcbachmann/cel-js'
import { Quantity, QuantityError } from '../quantity.ts'

export class CelQuantity {
  readonly quantity: Quantity

  constructor(quantity: Quantity) {
    this.quantity = quantity
  }
}

export class CelSemver {
  readonly numbers: readonly number[]
  readonly pre: string

  constructor(text: string) {
    const match = SEMVER.exec(text)
    if (!match) throw new Error(`invalid semver ${JSON.stringify(text)}`)
    this.numbers = [match[1], match[2], match[3]].map(Number)
    this.pre = match[4] ?? ''
  }
}

const SEMVER = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/

function isQuantity(text: string): boolean {
  try {
    Quantity.parse(text)
    return true
  } catch (error) {
    if (error instanceof QuantityError) return false
    throw error
  }
}

export function registerQuantityFunctions(environment: Environment): void {
  const type = 'kubernetes.Quantity'
  environment
    .registerType(type, CelQuantity)
    .registerFunction('isQuantity(string): bool', isQuantity)
    .registerFunction(`quantity(string): ${type}`, (text: string) => new CelQuantity(Quantity.parse(text)))
    .registerFunction(`${type}.sign(): int`, ({ quantity }: CelQuantity) => BigInt(quantity.sign))
    .registerFunction(
      `${type}.isInteger(): bool`,
      ({ quantity }: CelQuantity) => quantity.milliValue() % 1000 === 0,
    )
    .registerFunction(`${type}.asInteger(): int`, ({ quantity }: CelQuantity) => BigInt(quantity.value()))
    .registerFunction(
      `${type}.asApproximateFloat(): double`,
      ({ quantity }: CelQuantity) => quantity.milliValue() / 1000,
    )
    .registerFunction(
      `${type}.isGreaterThan(${type}): bool`,
      (a: CelQuantity, b: CelQuantity) => a.quantity.compare(b.quantity) > 0,
    )
    .registerFunction(
      `${type}.isLessThan(${type}): bool`,
      (a: CelQuantity, b: CelQuantity) => a.quantity.compare(b.quantity) < 0,
    )
    .registerFunction(`${type}.compareTo(${type}): int`, (a: CelQuantity, b: CelQuantity) =>
      BigInt(a.quantity.compare(b.quantity)),
    )
    .registerFunction(
      `${type}.add(${type}): ${type}`,
      (a: CelQuantity, b: CelQuantity) => new CelQuantity(a.quantity.add(b.quantity)),
    )
    .registerFunction(
      `${type}.sub(${type}): ${type}`,
      (a: CelQuantity, b: CelQuantity) => new CelQuantity(a.quantity.sub(b.quantity)),
    )
  registerSemver(environment)
}

function registerSemver(environment: Environment): void {
  const type = 'kubernetes.Semver'
  environment
    .registerType(type, CelSemver)
    .registerFunction('isSemver(string): bool', (text: string) => SEMVER.test(text))
    .registerFunction('isSemver(string, bool): bool', (text: string, isLoose: boolean) =>
      SEMVER.test(isLoose ? normalized(text) : text),
    )
    .registerFunction(`semver(string): ${type}`, (text: string) => new CelSemver(text))
    .registerFunction(
      `semver(string, bool): ${type}`,
      (text: string, isLoose: boolean) => new CelSemver(isLoose ? normalized(text) : text),
    )
    .registerFunction(`${type}.major(): int`, ({ numbers }: CelSemver) => BigInt(numbers[0]!))
    .registerFunction(`${type}.minor(): int`, ({ numbers }: CelSemver) => BigInt(numbers[1]!))
    .registerFunction(`${type}.patch(): int`, ({ numbers }: CelSemver) => BigInt(numbers[2]!))
    .registerFunction(
      `${type}.isGreaterThan(${type}): bool`,
      (a: CelSemver, b: CelSemver) => compareSemver(a, b) > 0,
    )
    .registerFunction(
      `${type}.isLessThan(${type}): bool`,
      (a: CelSemver, b: CelSemver) => compareSemver(a, b) < 0,
    )
    .registerFunction(`${type}.compareTo(${type}): int`, (a: CelSemver, b: CelSemver) =>
      BigInt(compareSemver(a, b)),
    )
}

/** 'v1.02' becomes '1.2.0'. Upstream: normalizeAndParse (KEP-4381's semver library, 1.33). */
function normalized(text: string): string {
  const [, numbers = '', rest = ''] = /^v?([\d.]*)(.*)$/s.exec(text)!
  const parts = numbers.split('.').map(part => part.replace(/^0+(?=\d)/, ''))
  if (rest !== '' && parts.length < 3) return text
  while (parts.length < 3) parts.push('0')
  return parts.join('.') + rest
}

/** A version before its release comes first; of two such the text decides, numbers as numbers. */
function compareSemver(a: CelSemver, b: CelSemver): number {
  for (const [index, number] of a.numbers.entries()) {
    if (number !== b.numbers[index]) return number < b.numbers[index]! ? -1 : 1
  }
  if (a.pre === b.pre) return 0
  if (a.pre === '' || b.pre === '') return a.pre === '' ? 1 : -1
  return Math.sign(a.pre.localeCompare(b.pre, 'en', { numeric: true }))
}
