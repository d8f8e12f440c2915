// Which devices an expression chooses. Upstream: dynamic-resource-allocation/cel/compile.go.

import { Quantity } from '../quantity.ts'
import type { JSONSchemaProps } from '../types/apiextensions-v1.ts'
import type { Device, DeviceAttribute } from '../types/resource-v1.ts'
import { CelDomains } from './device-functions.ts'
import { astOf, compile, type Expectation, findProblem } from './environment.ts'
import { estimateCostOf } from './estimate-cost.ts'
import { CelQuantity, CelSemver } from './quantity-functions.ts'

const EXPECTATION: Expectation = {
  speech: 'device',
  variables: { device: 'kubernetes.DRADevice' },
  types: {
    'kubernetes.DRADevice': {
      driver: 'string',
      attributes: 'map<string, map<string, dyn>>',
      capacity: 'map<string, map<string, kubernetes.Quantity>>',
      allowMultipleAllocations: 'bool',
    },
  },
  returns: 'bool',
}

/** Upstream: CELSelectorExpressionMaxCost. */
const COST_LIMIT = 1_000_000
const named = (of: JSONSchemaProps): JSONSchemaProps => ({
  type: 'object',
  maxProperties: 32,
  additionalProperties: of,
})
const DEVICE: JSONSchemaProps = {
  type: 'object',
  properties: {
    driver: { type: 'string', maxLength: 63 },
    attributes: named(named({})),
    capacity: named(named({})),
    allowMultipleAllocations: { type: 'boolean' },
  },
}

/** It may have to do too much for one device. */
export const isTooComplex = (expression: string): boolean =>
  estimateCostOf(astOf(expression), { device: DEVICE }) > COST_LIMIT

/** What is wrong with a selector, in upstream's words; undefined: nothing. Upstream: CompileCELExpression. */
export function deviceSelectorProblem(expression: string): string | undefined {
  const problem = findProblem(expression, EXPECTATION)
  if (!problem) return undefined
  if ('program' in problem) return `program instantiation failed: ${problem.program}`
  return 'issue' in problem
    ? `compilation failed: ${problem.issue}`
    : `must evaluate to bool or the unknown type, not ${problem.type}`
}

type Selectable = Pick<Device, 'attributes' | 'capacity' | 'allowMultipleAllocations'>

const known = new WeakMap<Selectable, Record<string, unknown>>()

/** Throws CelError when the expression cannot be read, or fails for this device. Devices must not change. */
export function matchesDevice(expression: string, driver: string, device: Selectable): boolean {
  const program = compile(expression, 'device')
  let variables = known.get(device)
  if (!variables) {
    variables = { device: celDevice(driver, device) }
    known.set(device, variables)
  }
  return program(variables) === true
}

const celDevice = (
  driver: string,
  { attributes = {}, capacity = {}, allowMultipleAllocations }: Selectable,
) => ({
  driver,
  attributes: byDomain(attributes, driver, attributeValue),
  capacity: byDomain(capacity, driver, ({ value }) => new CelQuantity(Quantity.parse(value))),
  allowMultipleAllocations: allowMultipleAllocations ?? false,
})

/** A name without a domain is in the driver's. */
function byDomain<T>(named: Record<string, T>, driver: string, celOf: (value: T) => unknown): CelDomains {
  const domains = new Map<string, Map<string, unknown>>()
  for (const [name, value] of Object.entries(named)) {
    const slash = name.indexOf('/')
    const [domain, id] = slash < 0 ? [driver, name] : [name.slice(0, slash), name.slice(slash + 1)]
    const members = domains.get(domain) ?? new Map<string, unknown>()
    domains.set(domain, members.set(id, celOf(value)))
  }
  return new CelDomains(domains)
}

function attributeValue({ int, bool, string, version }: DeviceAttribute): unknown {
  if (int !== undefined) return BigInt(int)
  if (version !== undefined) return new CelSemver(version)
  return bool ?? string
}
