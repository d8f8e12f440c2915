// Requests and limits of containers and of the Pod. Upstream: validateResourceRequirements, validatePodResources.
import { isDns1123Label } from '../../names.ts'
import { aggregate, isPodLevelResource, parseAmounts } from '../../pod/resources.ts'
import { Quantity } from '../../quantity.ts'
import type { PodSpec, ResourceClaim, ResourceRequirements } from '../../types/core-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from '../field-error.ts'
import {
  isHugePage,
  mayOvercommit,
  parseQuantity,
  validateAmount,
  validateContainerResourceName,
  validateResourceName,
} from '../resource-names.ts'

const POD_LEVEL = ['cpu', 'hugepages-', 'memory']

type Claims = ReadonlySet<string>
type NameCheck = (name: string, path: string) => FieldError[]

export function validateResources(
  resources: ResourceRequirements,
  claimNames: Claims,
  path: string,
  checkName: NameCheck = validateContainerResourceName,
): FieldError[] {
  const { limits = {}, requests = {} } = resources
  const errors = Object.entries(limits).flatMap(([name, text]) => [
    ...checkName(name, `${path}.limits[${name}]`),
    ...validateAmount(name, text, `${path}.limits[${name}]`),
    ...validateHugePages(name, text, `${path}.limits[${name}]`),
  ])
  for (const [name, text] of Object.entries(requests)) {
    const at = `${path}.requests[${name}]`
    errors.push(...checkName(name, at), ...validateAmount(name, text, at))
    errors.push(...validateAgainstLimit(name, text, limits[name], path))
    errors.push(...validateHugePages(name, text, at))
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)]
  if (names.some(isHugePage) && !names.includes('cpu') && !names.includes('memory'))
    errors.push(forbiddenField(path, 'HugePages require cpu or memory'))
  return [...errors, ...validateClaims(resources.claims ?? [], claimNames, `${path}.claims`)]
}

function validateAgainstLimit(
  name: string,
  text: string,
  limitText: string | undefined,
  path: string,
): FieldError[] {
  if (limitText === undefined) {
    const detail = 'Limit must be set for non overcommitable resources'
    return mayOvercommit(name) ? [] : [required(`${path}.limits`, detail)]
  }
  const [request, limit] = [parseQuantity(text), parseQuantity(limitText)]
  if (!request || !limit) return []
  const order = request.compare(limit)
  const refuse = (must: string) => [
    invalidValue(`${path}.requests`, request.toString(), `${must} ${name} limit of ${limit}`),
  ]
  if (order !== 0 && !mayOvercommit(name)) return refuse('must be equal to')
  return order > 0 ? refuse('must be less than or equal to') : []
}

/** Huge pages come in whole pages. Upstream: IsHugePageResourceValueDivisible. */
function validateHugePages(name: string, text: string, path: string): FieldError[] {
  if (!isHugePage(name)) return []
  const page = parseQuantity(name.slice('hugepages-'.length))
  const amount = parseQuantity(text)
  if (!amount) return []
  const whole = page && page.sign > 0 && page.milliValue() % 1_000 === 0
  if (whole && amount.value() % page.value() === 0) return []
  return [invalidValue(path, amount.toString(), `${amount} is not positive integer multiple of ${name}`)]
}

/** Upstream: validateResourceClaimNames. */
function validateClaims(claims: readonly ResourceClaim[], known: Claims, path: string): FieldError[] {
  const seen = new Set<string>()
  return claims.flatMap(({ name, request }, index) => {
    const at = `${path}[${index}]`
    if (!name) return [required(at)]
    const errors: FieldError[] = []
    if (seen.has(name)) errors.push(duplicate(at, name))
    else {
      if (request) errors.push(...each(`${at}.request`, request, isDns1123Label))
      const key = request ? `${name}/${request}` : name
      if (seen.has(key)) errors.push(duplicate(at, key))
      else if (!request && [...seen].some(other => other.startsWith(`${name}/`)))
        errors.push(duplicate(at, name))
      seen.add(key)
    }
    if (known.has(name)) return errors
    const list = known.size === 0 ? ' which is empty' : `: ${[...known].toSorted().join(', ')}`
    errors.push(notFoundValue(at, name, `must be one of the names in pod.spec.resourceClaims${list}`))
    return errors
  })
}

/** Upstream: validatePodResourceName. */
function validatePodLevelName(name: string, path: string): FieldError[] {
  const errors = validateResourceName(name, path)
  if (errors.length > 0 || isPodLevelResource(name)) return errors
  return [notSupported(path, name, POD_LEVEL)]
}

/** spec.resources, alone and against the containers. */
export function validatePodLevelResources(spec: PodSpec, claimNames: Claims, path: string): FieldError[] {
  const own = spec.resources
  if (!own) return []
  if (spec.os?.name === 'windows') return [forbiddenField(path, 'may not be set for a windows pod')]
  const errors: FieldError[] = []
  if (own.claims)
    errors.push(forbiddenField(`${path}.claims`, 'claims may not be set for Resources at pod-level'))
  errors.push(...validateResources(own, claimNames, path, validatePodLevelName))
  return allParse(spec) ? [...errors, ...coversContainers(spec, path)] : errors
}

const allParse = ({ resources, containers = [], initContainers = [] }: PodSpec) =>
  [{ resources }, ...containers, ...initContainers].every(part =>
    [part.resources?.limits, part.resources?.requests].every(list =>
      Object.values(list ?? {}).every(text => parseQuantity(text)),
    ),
  )

/** Upstream: validatePodResourceConsistency. */
function coversContainers(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['requests', 'limits'] as const) {
    const own = parseAmounts(spec.resources?.[field])
    const sums = aggregate(spec, container => parseAmounts(container.resources?.[field]))
    for (const [name, sum] of sums) {
      const amount = own.get(name)
      if (!amount || sum.compare(amount) <= 0 || (field === 'limits' && !isHugePage(name))) continue
      const detail = `must be greater than or equal to aggregate container ${field} of ${sum}`
      errors.push(invalidValue(`${path}.${field}[${name}]`, amount.toString(), detail))
    }
  }
  const limits = parseAmounts(spec.resources?.limits)
  for (const [index, container] of spec.containers.entries()) {
    for (const [name, text] of Object.entries(container.resources?.limits ?? {})) {
      const most = limits.get(name)
      const limit = Quantity.parse(text)
      if (!most || limit.compare(most) <= 0) continue
      const detail = `must be less than or equal to pod limits of ${most}`
      errors.push(invalidValue(`${path}.containers[${index}][${name}].limits`, limit.toString(), detail))
    }
  }
  return errors
}
