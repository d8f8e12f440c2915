// Requests and limits of containers and of the Pod. Upstream: validateContainerResourceRequirements,
// ValidateResourceRequirements, validatePodResourceConsistency.
import { isQualifiedName } from '../../names.ts'
import { aggregate, isPodLevelResource, parseAmounts } from '../../pod/resources.ts'
import { Quantity, QuantityError } from '../../quantity.ts'
import type { PodSpec, ResourceRequirements } from '../../types/core-v1.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '../field-error.ts'

const STANDARD = ['cpu', 'memory', 'ephemeral-storage']
const POD_LEVEL = ['cpu', 'hugepages-', 'memory']

/** Undefined when the text is no quantity. */
export function parseQuantity(text: string | number): Quantity | undefined {
  try {
    return Quantity.parse(text)
  } catch (error) {
    if (error instanceof QuantityError) return undefined
    throw error
  }
}

type Amounts = Record<string, string> | undefined

export function validateResources(
  { limits, requests }: Pick<ResourceRequirements, 'limits' | 'requests'>,
  path: string,
): FieldError[] {
  const errors = [...validateList(limits, `${path}.limits`), ...validateList(requests, `${path}.requests`)]
  for (const [name, text] of Object.entries(requests ?? {})) {
    const request = parseQuantity(text)
    const limit = limits?.[name] === undefined ? undefined : parseQuantity(limits[name])
    if (!request) continue
    if (limit && !mayOvercommit(name) && request.compare(limit) !== 0) {
      errors.push(
        invalidValue(`${path}.requests`, request.toString(), `must be equal to ${name} limit of ${limit}`),
      )
    } else if (limit && request.compare(limit) > 0) {
      const detail = `must be less than or equal to ${name} limit of ${limit}`
      errors.push(invalidValue(`${path}.requests`, request.toString(), detail))
    } else if (!limit && !mayOvercommit(name)) {
      errors.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
    }
  }
  return errors
}

/** Extended resources and huge pages are whole things: nobody gets more than there are. */
const mayOvercommit = (name: string) =>
  (!name.includes('/') || name.startsWith('kubernetes.io/')) && !name.startsWith('hugepages-')

function validateList(list: Amounts, path: string): FieldError[] {
  return Object.entries(list ?? {}).flatMap(([name, text]) => [
    ...validateResourceName(name, path),
    ...validateAmount(name, text, `${path}[${name}]`),
  ])
}

function validateResourceName(name: string, path: string): FieldError[] {
  const bad = each(path, name, isQualifiedName)
  if (bad.length > 0) return bad
  if (name.includes('/') || STANDARD.includes(name) || name.startsWith('hugepages-')) return []
  return [invalidValue(path, name, 'must be a standard resource for containers')]
}

export function validateAmount(name: string, text: string, path: string): FieldError[] {
  const amount = parseQuantity(text)
  if (!amount) return [invalidValue(path, text, 'must be a quantity')]
  if (amount.sign < 0) return [invalidValue(path, amount.toString(), 'must be greater than or equal to 0')]
  const whole = name.includes('/') && !name.startsWith('kubernetes.io/')
  return whole && amount.milliValue() % 1_000 !== 0
    ? [invalidValue(path, amount.toString(), 'must be an integer')]
    : []
}

/** spec.resources against the sum of its containers. */
export function validatePodLevelResources(spec: PodSpec, path: string): FieldError[] {
  const own = spec.resources
  if (!own) return []
  const errors: FieldError[] = []
  for (const field of ['limits', 'requests'] as const) {
    for (const [name, text] of Object.entries(own[field] ?? {})) {
      if (!isPodLevelResource(name)) errors.push(notSupported(`${path}.${field}`, name, POD_LEVEL))
      else errors.push(...validateAmount(name, text, `${path}.${field}[${name}]`))
    }
  }
  if (own.claims && own.claims.length > 0)
    errors.push(forbiddenField(`${path}.claims`, 'claims may not be set for Resources at pod-level'))
  if (errors.length > 0) return errors
  return [...errors, ...withinLimits(own, path), ...coversContainers(spec, path)]
}

function withinLimits({ limits, requests }: ResourceRequirements, path: string): FieldError[] {
  return Object.entries(requests ?? {}).flatMap(([name, text]) => {
    const request = Quantity.parse(text)
    if (limits?.[name] === undefined || request.compare(Quantity.parse(limits[name])) <= 0) return []
    const detail = `must be less than or equal to ${name} limit of ${Quantity.parse(limits[name])}`
    return [invalidValue(`${path}.requests`, request.toString(), detail)]
  })
}

function coversContainers(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = []
  const asked = aggregate(spec, container => parseAmounts(container.resources?.requests))
  for (const [name, amount] of parseAmounts(spec.resources?.requests)) {
    const sum = asked.get(name)
    if (!sum || amount.compare(sum) >= 0) continue
    const detail = `must be greater than or equal to aggregate container requests of ${sum}`
    errors.push(invalidValue(`${path}.requests[${name}]`, amount.toString(), detail))
  }
  for (const [name, amount] of parseAmounts(spec.resources?.limits)) {
    for (const [index, container] of spec.containers.entries()) {
      const limit = container.resources?.limits?.[name]
      if (limit === undefined || Quantity.parse(limit).compare(amount) <= 0) continue
      const detail = `must be less than or equal to pod limits of ${amount}`
      errors.push(invalidValue(`spec.containers[${index}].resources.limits[${name}]`, limit, detail))
    }
  }
  return errors
}
