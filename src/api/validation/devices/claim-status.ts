// What may be written into a ResourceClaim's status. Upstream: pkg/apis/resource/validation
// validateResourceClaimStatusUpdate.
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
} from '../../types/resource-v1.ts'
import {
  type FieldError,
  forbiddenField,
  immutable,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../field-error.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import { validateNodeSelector } from '../pod/affinity.ts'
import {
  validateBindingConditions,
  validateDeviceName,
  validateDriverName,
  validateOpaque,
  validatePoolName,
  validateRaw,
  validateToleration,
} from './device-fields.ts'
import { list, set } from './device-lists.ts'
import { type RequestNames, requestNames, validateReference, validateReferences } from './request-names.ts'

const MOST_CONSUMERS = 256
const MOST_RESULTS = 32
const MOST_CONFIGS = 64
const MOST_CONDITIONS = 8
const MOST_ADDRESSES = 16
const LONGEST_DATA = 10 * 1024
const LONGEST_INTERFACE = 256
const LONGEST_HARDWARE_ADDRESS = 128
const SOURCES = ['FromClaim', 'FromClass']
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function validateClaimStatus(claim: ResourceClaim, old: ResourceClaim): FieldError[] {
  const { status, metadata } = claim
  const { allocation, reservedFor = [], devices } = status
  const given = new Set((allocation?.devices.results ?? []).map(idOf))
  return [
    ...validateObjectMetaUpdate(metadata, old.metadata),
    ...set(reservedFor, 'status.reservedFor', MOST_CONSUMERS, validateConsumer, ({ uid }) => uid),
    ...set(
      devices,
      'status.devices',
      Number.POSITIVE_INFINITY,
      (device, at) => validateDeviceStatus(device, at, given),
      idOf,
    ),
    ...validateReservation(claim, old),
    ...validateAllocation(claim, old),
  ]
}

const idOf = ({ driver, pool, device, shareID }: Partial<AllocatedDeviceStatus>) =>
  `${driver}/${pool}/${device}${shareID === undefined ? '' : `/${shareID}`}`

function validateConsumer(
  { resource, name, uid }: ResourceClaimConsumerReference,
  path: string,
): FieldError[] {
  return Object.entries({ resource, name, uid }).flatMap(([field, value]) =>
    value ? [] : [required(`${path}.${field}`)],
  )
}

function validateReservation({ metadata, status }: ResourceClaim, old: ResourceClaim): FieldError[] {
  const { reservedFor = [], allocation } = status
  if (reservedFor.length === 0) return []
  const at = 'status.reservedFor'
  if (!allocation) return [forbiddenField(at, 'may not be specified when `allocated` is not set')]
  const before = old.status.reservedFor ?? []
  const isNew = ({ uid }: ResourceClaimConsumerReference) => !before.some(known => known.uid === uid)
  if (!metadata.deletionTimestamp || !reservedFor.some(isNew)) return []
  const detail = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'
  return [forbiddenField(at, detail)]
}

/** Once written it stays until it is taken away as a whole. */
function validateAllocation({ spec, status }: ResourceClaim, old: ResourceClaim): FieldError[] {
  const { allocation } = status
  if (!allocation) return []
  const path = 'status.allocation'
  if (old.status.allocation) return immutable(path, allocation, old.status.allocation)
  return validateNewAllocation(allocation, path, requestNames(spec.devices?.requests ?? []))
}

function validateNewAllocation(
  { devices, nodeSelector }: AllocationResult,
  path: string,
  known: RequestNames,
): FieldError[] {
  const at = `${path}.devices`
  return [
    ...list(devices?.results, `${at}.results`, MOST_RESULTS, (result, place) =>
      validateResult(result, place, known),
    ),
    ...list(devices?.config, `${at}.config`, MOST_CONFIGS, (config, place) =>
      validateConfig(config, place, known),
    ),
    ...(nodeSelector ? validateNodeSelector(nodeSelector, `${path}.nodeSelector`) : []),
  ]
}

function validateResult(
  result: DeviceRequestAllocationResult,
  path: string,
  known: RequestNames,
): FieldError[] {
  const { request, driver, pool, device, tolerations = [], shareID } = result
  return [
    ...validateReference(request, `${path}.request`, known),
    ...validateDriverName(driver, `${path}.driver`),
    ...validatePoolName(pool, `${path}.pool`),
    ...validateDeviceName(device, `${path}.device`),
    ...validateBindingConditions(result, path),
    ...tolerations.flatMap((one, index) => validateToleration(one, `${path}.tolerations[${index}]`)),
    ...validateShareId(shareID, `${path}.shareID`),
  ]
}

function validateShareId(shareID: string | undefined, path: string): FieldError[] {
  if (shareID === undefined || UUID.test(shareID)) return []
  const detail =
    'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters'
  return [invalidValue(path, shareID, detail)]
}

function validateConfig(
  config: DeviceAllocationConfiguration,
  path: string,
  known: RequestNames,
): FieldError[] {
  const { source, requests, opaque } = config
  const at = `${path}.source`
  return [
    ...(!source ? [required(at)] : SOURCES.includes(source) ? [] : [notSupported(at, source, SOURCES)]),
    ...validateReferences(requests, `${path}.requests`, known),
    ...validateOpaque(opaque, `${path}.opaque`),
  ]
}

function validateDeviceStatus(
  status: AllocatedDeviceStatus,
  path: string,
  given: ReadonlySet<string>,
): FieldError[] {
  const { driver, pool, device, shareID, conditions = [], data, networkData } = status
  return [
    ...validateDriverName(driver, `${path}.driver`),
    ...validatePoolName(pool, `${path}.pool`),
    ...validateDeviceName(device, `${path}.device`),
    ...validateShareId(shareID, `${path}.shareID`),
    ...(given.has(idOf(status))
      ? []
      : [invalidValue(path, idOf(status), 'must be an allocated device in the claim')]),
    ...(conditions.length > MOST_CONDITIONS
      ? [tooMany(`${path}.conditions`, conditions.length, MOST_CONDITIONS)]
      : []),
    ...(data === undefined || data === null ? [] : validateRaw(data, `${path}.data`, LONGEST_DATA)),
    ...(networkData ? validateNetwork(networkData, `${path}.networkData`) : []),
  ]
}

function validateNetwork(
  { interfaceName, hardwareAddress, ips }: NetworkDeviceData,
  path: string,
): FieldError[] {
  const isTooLong = (text: string | undefined, most: number) => Buffer.byteLength(text ?? '') > most
  return [
    ...(isTooLong(interfaceName, LONGEST_INTERFACE)
      ? [tooLong(`${path}.interfaceName`, LONGEST_INTERFACE)]
      : []),
    ...(isTooLong(hardwareAddress, LONGEST_HARDWARE_ADDRESS)
      ? [tooLong(`${path}.hardwareAddress`, LONGEST_HARDWARE_ADDRESS)]
      : []),
    ...set(
      ips,
      `${path}.ips`,
      MOST_ADDRESSES,
      () => [],
      address => address,
    ),
  ]
}
