// ResourceClaims, templates of them and DeviceClasses. Upstream: pkg/apis/resource/validation. What CEL expressions say
// is not compiled: nothing here evaluates them.
import { isDns1123Label, isDns1123Subdomain } from '../names.ts'
import type {
  DeviceClaim,
  DeviceClass,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  ExactDeviceRequest,
  OpaqueDeviceConfiguration,
  ResourceClaim,
  ResourceClaimTemplate,
} from '../types/resource-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  immutable,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from './field-error.ts'
import type { Validator } from './validator.ts'

const MOST = 32
const MOST_ALTERNATIVES = 8
const LONGEST_EXPRESSION = 10 * 1024
const MODES = ['All', 'ExactCount']

/** Every member, and how many there are. */
function list<T>(
  members: readonly T[] | undefined,
  path: string,
  most: number,
  check: (member: T, at: string) => FieldError[],
): FieldError[] {
  const errors = (members ?? []).flatMap((member, index) => check(member, `${path}[${index}]`))
  const count = members?.length ?? 0
  return count > most ? [...errors, tooMany(path, count, most)] : errors
}

function unique(names: readonly string[], path: string): FieldError[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) < index ? [duplicate(`${path}[${index}]`, name)] : [],
  )
}

function validateDevices({ requests, constraints, config }: DeviceClaim, path: string): FieldError[] {
  const known = requestNames(requests ?? [])
  const reference = (name: string, at: string): FieldError[] => {
    const detail =
      "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
    const segments = name.split('/')
    if (segments.length > 2) return [invalidValue(at, name, detail)]
    const errors = segments.flatMap(segment => each(at, segment, isDns1123Label))
    return known.has(name) ? errors : [...errors, invalidValue(at, name, detail)]
  }
  const references = (names: readonly string[] | undefined, at: string) => [
    ...list(names, at, MOST, reference),
    ...unique(names ?? [], at),
  ]
  return [
    ...list(requests, `${path}.requests`, MOST, validateRequest),
    ...unique(
      (requests ?? []).map(({ name }) => name),
      `${path}.requests`,
    ),
    ...list(constraints, `${path}.constraints`, MOST, (constraint, at) => [
      ...references(constraint.requests, `${at}.requests`),
      ...(constraint.matchAttribute || constraint.distinctAttribute
        ? []
        : [
            required(
              at,
              'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
            ),
          ]),
    ]),
    ...list(config, `${path}.config`, MOST, ({ requests: names, opaque }, at) => [
      ...references(names, `${at}.requests`),
      ...validateOpaque(opaque, `${at}.opaque`),
    ]),
  ]
}

function requestNames(requests: readonly DeviceRequest[]): Set<string> {
  return new Set(
    requests.flatMap(({ name, firstAvailable }) => [
      name,
      ...(firstAvailable ?? []).map(alternative => `${name}/${alternative.name}`),
    ]),
  )
}

function validateRequest({ name, exactly, firstAvailable }: DeviceRequest, path: string): FieldError[] {
  const errors = each(`${path}.name`, name, isDns1123Label)
  const hasAlternatives = (firstAvailable ?? []).length > 0
  const text = 'exactly one of `exactly` or `firstAvailable` is required'
  if (!exactly && !hasAlternatives) return [...errors, required(path, text)]
  if (exactly && hasAlternatives)
    return [...errors, invalidValue(path, null, `${text}, but multiple fields are set`)]
  if (exactly) return [...errors, ...validateExact(exactly, `${path}.exactly`)]
  return [
    ...errors,
    ...list(firstAvailable, `${path}.firstAvailable`, MOST_ALTERNATIVES, validateAlternative),
    ...unique(
      firstAvailable!.map(alternative => alternative.name),
      `${path}.firstAvailable`,
    ),
  ]
}

function validateAlternative(alternative: DeviceSubRequest, path: string): FieldError[] {
  return [...each(`${path}.name`, alternative.name, isDns1123Label), ...validateExact(alternative, path)]
}

function validateExact(
  { deviceClassName, selectors, allocationMode = '', count = 0 }: ExactDeviceRequest,
  path: string,
): FieldError[] {
  const at = `${path}.deviceClassName`
  const errors = deviceClassName ? each(at, deviceClassName, isDns1123Subdomain) : [required(at)]
  errors.push(...list(selectors, `${path}.selectors`, MOST, validateSelector))
  if (!MODES.includes(allocationMode))
    errors.push(notSupported(`${path}.allocationMode`, allocationMode, MODES))
  else if (allocationMode === 'All' && count !== 0)
    errors.push(invalidValue(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
  else if (allocationMode === 'ExactCount' && count <= 0)
    errors.push(invalidValue(`${path}.count`, count, 'must be greater than zero'))
  return errors
}

function validateSelector({ cel }: DeviceSelector, path: string): FieldError[] {
  if (!cel) return [required(`${path}.cel`)]
  const at = `${path}.cel.expression`
  return cel.expression.length > LONGEST_EXPRESSION ? [tooLong(at, LONGEST_EXPRESSION)] : []
}

function validateOpaque(opaque: OpaqueDeviceConfiguration | undefined, path: string): FieldError[] {
  if (!opaque) return [required(path)]
  const { driver, parameters } = opaque
  return [
    ...(driver ? each(`${path}.driver`, driver, isDns1123Subdomain) : [required(`${path}.driver`)]),
    ...(parameters ? [] : [required(`${path}.parameters`)]),
  ]
}

const claim: Validator = {
  create: ({ spec }: ResourceClaim) => validateDevices(spec.devices ?? { requests: [] }, 'spec.devices'),
  update: ({ spec }: ResourceClaim, old: ResourceClaim) => immutable('spec', spec, old.spec),
}

const template: Validator = {
  create: ({ spec }: ResourceClaimTemplate) =>
    validateDevices(spec.spec.devices ?? { requests: [] }, 'spec.spec.devices'),
  update: ({ spec }: ResourceClaimTemplate, old: ResourceClaimTemplate) => immutable('spec', spec, old.spec),
}

const deviceClass: Validator = {
  create: ({ spec }: DeviceClass) => [
    ...list(spec.selectors, 'spec.selectors', MOST, validateSelector),
    ...list(spec.config, 'spec.config', MOST, ({ opaque }, at) => validateOpaque(opaque, `${at}.opaque`)),
  ],
}

export const deviceChecks: Record<string, Validator> = {
  'resource.k8s.io/ResourceClaim': claim,
  'resource.k8s.io/ResourceClaimTemplate': template,
  'resource.k8s.io/DeviceClass': deviceClass,
}
