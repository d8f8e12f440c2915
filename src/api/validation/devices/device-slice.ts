// ResourceSlices: what drivers publish. Upstream: pkg/apis/resource/validation validateResourceSliceSpec.
import { isDns1123Label, isDns1123Subdomain } from '../../names.ts'
import type {
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceCounterConsumption,
  ResourceSlice,
  ResourceSliceSpec,
} from '../../types/resource-v1.ts'
import { each, type FieldError, immutable, invalidValue, required, tooLong } from '../field-error.ts'
import { validateNodeSelector } from '../pod/affinity.ts'
import type { Validator } from '../validator.ts'
import { validateCapacity } from './device-capacity.ts'
import {
  validateBindingConditions,
  validateDeviceName,
  validateDriverName,
  validatePoolName,
  validateQualifiedName,
  validateTaint,
} from './device-fields.ts'
import { entries, list, set } from './device-lists.ts'

const MOST_DEVICES = 128
/** With taints, counters or lists of attributes. */
const MOST_ADVANCED_DEVICES = 64
const MOST_ATTRIBUTES = 32
const MOST_TAINTS = 16
const MOST_COUNTER_SETS = 8
const MOST_COUNTERS = 32
const MOST_CONSUMPTIONS = 2
const LONGEST_VALUE = 64
const UNLIMITED = Number.POSITIVE_INFINITY
/** Upstream: semverRe. */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

export const resourceSliceValidator: Validator = {
  create: ({ spec }: ResourceSlice) => validateSlice(spec, 'spec'),
  update: ({ spec }: ResourceSlice, old: ResourceSlice) => [
    ...immutable('spec.pool.name', spec.pool.name, old.spec.pool.name),
    ...immutable('spec.driver', spec.driver, old.spec.driver),
    ...immutable('spec.nodeName', spec.nodeName, old.spec.nodeName),
  ],
}

function validateSlice(spec: ResourceSliceSpec, path: string): FieldError[] {
  const { driver, pool, devices = [], sharedCounters, perDeviceNodeSelection = false } = spec
  const isAdvanced = devices.some(
    ({ taints = [], consumesCounters = [] }) => taints.length + consumesCounters.length > 0,
  )
  const nameOf = ({ name }: { name: string }) => name
  return [
    ...validateDriverName(driver, `${path}.driver`),
    ...validatePoolName(pool?.name ?? '', `${path}.pool.name`),
    ...((pool?.resourceSliceCount ?? 0) > 0
      ? []
      : [
          invalidValue(
            `${path}.pool.resourceSliceCount`,
            pool?.resourceSliceCount ?? 0,
            'must be greater than zero',
          ),
        ]),
    ...((pool?.generation ?? 0) >= 0
      ? []
      : [invalidValue(`${path}.pool.generation`, pool.generation, 'must be greater than or equal to zero')]),
    ...validatePlace(spec, path),
    ...(sharedCounters && spec.devices
      ? [invalidValue(path, '', 'only one of `sharedCounters` or `devices` is allowed')]
      : []),
    ...set(
      devices,
      `${path}.devices`,
      isAdvanced ? MOST_ADVANCED_DEVICES : MOST_DEVICES,
      (device, at) => validateDevice(device, at, perDeviceNodeSelection),
      nameOf,
    ),
    ...set(sharedCounters, `${path}.sharedCounters`, MOST_COUNTER_SETS, validateCounterSet, nameOf),
  ]
}

function validatePlace(spec: ResourceSliceSpec, path: string): FieldError[] {
  const { nodeName, nodeSelector, allNodes, perDeviceNodeSelection } = spec
  const errors: FieldError[] = []
  if (nodeName === '')
    errors.push(invalidValue(`${path}.nodeName`, '', 'must be either unset or set to a non-empty string'))
  else if (nodeName) errors.push(...each(`${path}.nodeName`, nodeName, isDns1123Subdomain))
  if (nodeSelector) {
    const at = `${path}.nodeSelector`
    errors.push(...validateNodeSelector(nodeSelector, at))
    const terms = nodeSelector.nodeSelectorTerms
    if (terms?.length !== 1)
      errors.push(
        invalidValue(`${at}.nodeSelectorTerms`, terms ?? null, 'must have exactly one node selector term'),
      )
  }
  for (const [name, flag] of Object.entries({ allNodes, perDeviceNodeSelection }))
    if (flag === false)
      errors.push(invalidValue(`${path}.${name}`, flag, 'must be either unset or set to true'))
  const fields = namesOf({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection })
  const detail = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (fields.length === 0) errors.push(required(path, detail))
  if (fields.length > 1)
    errors.push(invalidValue(path, `{${fields.join(', ')}}`, `${detail}, but multiple fields are set`))
  return errors
}

/** '`nodeName`' of those that are set. */
const namesOf = (fields: Record<string, unknown>): string[] =>
  Object.entries(fields).flatMap(([name, value]) => (value ? [`\`${name}\``] : []))

function validateDevice(device: Device, path: string, isPlaced: boolean): FieldError[] {
  const { name, attributes = {}, capacity = {}, taints, consumesCounters } = device
  const count = Object.keys(attributes).length + Object.keys(capacity).length
  const detail = `the total number of attributes and capacities must not exceed ${MOST_ATTRIBUTES}`
  const isShared = device.allowMultipleAllocations ?? false
  return [
    ...validateDeviceName(name, `${path}.name`),
    ...(count > MOST_ATTRIBUTES ? [invalidValue(path, count, detail)] : []),
    ...entries(attributes, `${path}.attributes`, UNLIMITED, validateQualifiedName, validateAttribute),
    ...entries(capacity, `${path}.capacity`, UNLIMITED, validateQualifiedName, (amount, at) =>
      validateCapacity(amount, at, isShared),
    ),
    ...list(taints, `${path}.taints`, MOST_TAINTS, validateTaint),
    ...set(
      consumesCounters,
      `${path}.consumesCounters`,
      MOST_CONSUMPTIONS,
      validateConsumption,
      ({ counterSet }) => counterSet,
    ),
    ...validateDevicePlace(device, path, isPlaced),
    ...validateBindingConditions(device, path),
  ]
}

function validateDevicePlace(device: Device, path: string, isPlaced: boolean): FieldError[] {
  const { nodeName, nodeSelector, allNodes } = device
  if (!isPlaced) {
    if (nodeName === undefined && !nodeSelector && allNodes === undefined) return []
    const detail =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
    return [invalidValue(path, null, detail)]
  }
  const errors: FieldError[] = []
  if (nodeName === '') errors.push(invalidValue(`${path}.nodeName`, '', 'must not be empty'))
  else if (nodeName) errors.push(...each(`${path}.nodeName`, nodeName, isDns1123Subdomain))
  if (nodeSelector) errors.push(...validateNodeSelector(nodeSelector, `${path}.nodeSelector`))
  if (allNodes === false)
    errors.push(invalidValue(`${path}.allNodes`, allNodes, 'must be either unset or set to true'))
  const fields = namesOf({ nodeName, nodeSelector, allNodes })
  const detail =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  if (fields.length === 0) errors.push(required(path, detail))
  if (fields.length > 1) errors.push(invalidValue(path, `{${fields.join(', ')}}`, detail))
  return errors
}

function validateAttribute(attribute: DeviceAttribute, path: string): FieldError[] {
  const { int, bool, string, version } = attribute
  const values = [int, bool, string, version].filter(value => value !== undefined)
  const errors: FieldError[] = []
  const isTooLong = (text: string | undefined) => Buffer.byteLength(text ?? '') > LONGEST_VALUE
  if (isTooLong(string)) errors.push(tooLong(`${path}.string`, LONGEST_VALUE))
  if (version !== undefined && !SEMVER.test(version)) {
    const detail = 'must be a string compatible with semver.org spec 2.0.0'
    errors.push(invalidValue(`${path}.version`, version, detail))
  }
  if (isTooLong(version)) errors.push(tooLong(`${path}.version`, LONGEST_VALUE))
  const detail = 'exactly one value must be specified'
  if (values.length !== 1) errors.push(invalidValue(path, values.length === 0 ? '' : attribute, detail))
  return errors
}

function validateCounterSet({ name, counters }: CounterSet, path: string): FieldError[] {
  return [...validateCounterName(name, `${path}.name`), ...validateCounters(counters, path)]
}

function validateConsumption({ counterSet, counters }: DeviceCounterConsumption, path: string): FieldError[] {
  return [...validateCounterName(counterSet, `${path}.counterSet`), ...validateCounters(counters, path)]
}

const validateCounterName = (name: string, path: string): FieldError[] =>
  name ? each(path, name, isDns1123Label) : [required(path)]

function validateCounters(counters: CounterSet['counters'], path: string): FieldError[] {
  const at = `${path}.counters`
  if (Object.keys(counters ?? {}).length === 0) return [required(at)]
  return entries(
    counters,
    at,
    MOST_COUNTERS,
    (name, place) => each(place, name, isDns1123Label),
    () => [],
  )
}
