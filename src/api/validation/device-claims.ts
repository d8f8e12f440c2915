// ResourceClaims, templates of them, and DeviceClasses. Upstream: pkg/apis/resource/validation.
import { isDeepStrictEqual } from 'node:util'
import { isDns1123Label, isDns1123Subdomain } from '../names.ts'
import type {
  DeviceClaim,
  DeviceClass,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceClaimTemplate,
} from '../types/resource-v1.ts'
import { validateClaimStatus } from './devices/claim-status.ts'
import {
  validateFullyQualifiedName,
  validateOpaque,
  validateSelectors,
  validateToleration,
} from './devices/device-fields.ts'
import { list, set } from './devices/device-lists.ts'
import { resourceSliceValidator } from './devices/device-slice.ts'
import { type RequestNames, requestNames, validateReferences } from './devices/request-names.ts'
import { each, type FieldError, immutable, invalidValue, notSupported, required } from './field-error.ts'
import { validateObjectMetaUpdate } from './object-meta.ts'
import { isExtended } from './resource-names.ts'
import type { Validator } from './validator.ts'

const MOST = 32
const MOST_ALTERNATIVES = 8
const MODES = ['All', 'ExactCount']
const nameOf = ({ name }: { name: string }) => name

function validateDevices({ requests, constraints, config }: DeviceClaim, path: string): FieldError[] {
  const known = requestNames(requests ?? [])
  return [
    ...set(requests, `${path}.requests`, MOST, validateRequest, nameOf),
    ...list(constraints, `${path}.constraints`, MOST, (constraint, at) =>
      validateConstraint(constraint, at, known),
    ),
    ...list(config, `${path}.config`, MOST, ({ requests: names, opaque }, at) => [
      ...validateReferences(names, `${at}.requests`, known),
      ...validateOpaque(opaque, `${at}.opaque`),
    ]),
  ]
}

function validateConstraint(constraint: DeviceConstraint, path: string, known: RequestNames): FieldError[] {
  const { requests, matchAttribute, distinctAttribute } = constraint
  const errors = validateReferences(requests, `${path}.requests`, known)
  if (matchAttribute !== undefined)
    return [...errors, ...validateFullyQualifiedName(matchAttribute, `${path}.matchAttribute`)]
  if (distinctAttribute !== undefined)
    return [...errors, ...validateFullyQualifiedName(distinctAttribute, `${path}.distinctAttribute`)]
  const detail =
    'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
  return [...errors, required(path, detail)]
}

function validateRequest({ name, exactly, firstAvailable }: DeviceRequest, path: string): FieldError[] {
  const errors = each(`${path}.name`, name, isDns1123Label)
  const hasAlternatives = (firstAvailable ?? []).length > 0
  const text = 'exactly one of `exactly` or `firstAvailable` is required'
  if (!exactly && !hasAlternatives) return [...errors, required(path, text)]
  if (exactly && hasAlternatives)
    return [...errors, invalidValue(path, null, `${text}, but multiple fields are set`)]
  if (exactly) return [...errors, ...validateExact(exactly, `${path}.exactly`)]
  const at = `${path}.firstAvailable`
  return [...errors, ...set(firstAvailable, at, MOST_ALTERNATIVES, validateAlternative, nameOf)]
}

function validateAlternative(alternative: DeviceSubRequest, path: string): FieldError[] {
  return [...each(`${path}.name`, alternative.name, isDns1123Label), ...validateExact(alternative, path)]
}

function validateExact(request: ExactDeviceRequest, path: string): FieldError[] {
  const { deviceClassName, selectors, allocationMode = '', count = 0, tolerations = [] } = request
  const at = `${path}.deviceClassName`
  const errors = deviceClassName ? each(at, deviceClassName, isDns1123Subdomain) : [required(at)]
  errors.push(...validateSelectors(selectors, `${path}.selectors`))
  if (!MODES.includes(allocationMode))
    errors.push(notSupported(`${path}.allocationMode`, allocationMode, MODES))
  else if (allocationMode === 'All' && count !== 0)
    errors.push(invalidValue(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
  else if (allocationMode === 'ExactCount' && count <= 0)
    errors.push(invalidValue(`${path}.count`, count, 'must be greater than zero'))
  const tolerated = tolerations.map((one, index) => validateToleration(one, `${path}.tolerations[${index}]`))
  return [...errors, ...tolerated.flat()]
}

const NONE: DeviceClaim = { requests: [] }

const claim: Validator = {
  create: ({ spec }: ResourceClaim) => validateDevices(spec.devices ?? NONE, 'spec.devices'),
  subresources: {
    // What cannot change need not be judged again.
    '': (object: ResourceClaim, old: ResourceClaim) => [
      ...validateObjectMetaUpdate(object.metadata, old.metadata),
      ...immutable('spec', object.spec, old.spec),
    ],
    status: validateClaimStatus,
  },
}

const template: Validator = {
  create: ({ spec }: ResourceClaimTemplate) =>
    validateDevices(spec.spec.devices ?? NONE, 'spec.spec.devices'),
  subresources: {
    '': (object: ResourceClaimTemplate, old: ResourceClaimTemplate) => [
      ...validateObjectMetaUpdate(object.metadata, old.metadata),
      ...immutable('spec', object.spec, old.spec),
    ],
  },
}

/** Expressions and parameters that the server has taken before are not judged again. */
function validateClass({ spec }: DeviceClass, old?: DeviceClass): FieldError[] {
  const isSame = (field: 'selectors' | 'config') => !!old && isDeepStrictEqual(spec[field], old.spec[field])
  const { extendedResourceName } = spec
  const at = 'spec.extendedResourceName'
  return [
    ...validateSelectors(spec.selectors, 'spec.selectors', isSame('selectors')),
    ...list(spec.config, 'spec.config', MOST, ({ opaque }, place) =>
      validateOpaque(opaque, `${place}.opaque`, isSame('config')),
    ),
    ...(extendedResourceName === undefined || isExtended(extendedResourceName)
      ? []
      : [invalidValue(at, extendedResourceName, 'must be a valid extended resource name')]),
  ]
}

const deviceClass: Validator = {
  create: (object: DeviceClass) => validateClass(object),
  subresources: {
    '': (object: DeviceClass, old: DeviceClass) => [
      ...validateObjectMetaUpdate(object.metadata, old.metadata),
      ...validateClass(object, old),
    ],
  },
}

export const deviceChecks: Record<string, Validator> = {
  'resource.k8s.io/ResourceClaim': claim,
  'resource.k8s.io/ResourceClaimTemplate': template,
  'resource.k8s.io/DeviceClass': deviceClass,
  'resource.k8s.io/ResourceSlice': resourceSliceValidator,
}
