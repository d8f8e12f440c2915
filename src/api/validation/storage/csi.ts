// What CSI drivers and their attachments are. Upstream: pkg/apis/storage/validation.
import { isDns1123Subdomain, isQualifiedName } from '../../names.ts'
import type {
  CSIDriver,
  CSINode,
  CSINodeDriver,
  TokenRequest,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../../types/storage-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  immutable,
  invalidValue,
  nonNegative,
  notSupported,
  required,
  same,
  tooLong,
} from '../field-error.ts'
import { validateCsiDriverName } from '../pod/volume-sources.ts'
import type { Validator } from '../validator.ts'

const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType']
const LIFECYCLES = ['Persistent', 'Ephemeral']
const LEAST_TOKEN_SECONDS = 600
const MOST_TOKEN_SECONDS = 2 ** 32
const LONGEST_NODE_ID = 256
const MOST_PARAMETERS = 512
const MOST_PARAMETER_BYTES = 256 * 1024

function validateDriver({ spec }: CSIDriver): FieldError[] {
  const { fsGroupPolicy, nodeAllocatableUpdatePeriodSeconds: period } = spec
  const errors: FieldError[] = []
  // Upstream calls the first field so.
  if (spec.attachRequired === undefined) errors.push(required('spec.attachedRequired'))
  if (spec.podInfoOnMount === undefined) errors.push(required('spec.podInfoOnMount'))
  if (spec.storageCapacity === undefined) errors.push(required('spec.storageCapacity'))
  if (fsGroupPolicy !== undefined && !GROUP_POLICIES.includes(fsGroupPolicy))
    errors.push(notSupported('spec.fsGroupPolicy', fsGroupPolicy, GROUP_POLICIES))
  errors.push(...validateTokens(spec.tokenRequests ?? [], 'spec.tokenRequests'))
  for (const mode of spec.volumeLifecycleModes ?? [])
    if (!LIFECYCLES.includes(mode)) errors.push(notSupported('spec.volumeLifecycleModes', mode, LIFECYCLES))
  if (spec.seLinuxMount === undefined) errors.push(required('spec.seLinuxMount'))
  if (period !== undefined && period < 10) {
    const detail = 'must be greater than or equal to 10 seconds'
    errors.push(invalidValue('spec.nodeAllocatableUpdatePeriodSeconds', period, detail))
  }
  return errors
}

function validateTokens(requests: readonly TokenRequest[], path: string): FieldError[] {
  const seen = new Set<string>()
  return requests.flatMap(({ audience = '', expirationSeconds: seconds }, index) => {
    if (seen.has(audience)) return [duplicate(`${path}[${index}].audience`, audience)]
    seen.add(audience)
    const refuse = (detail: string) => [invalidValue(`${path}[${index}].expirationSeconds`, seconds, detail)]
    if (seconds === undefined) return []
    if (seconds < LEAST_TOKEN_SECONDS) return refuse('may not specify a duration less than 10 minutes')
    return seconds > MOST_TOKEN_SECONDS ? refuse('may not specify a duration larger than 2^32 seconds') : []
  })
}

function validateNode({ spec }: CSINode): FieldError[] {
  const seen = new Set<string>()
  return (spec.drivers ?? []).flatMap((driver, index) => {
    const path = `spec.drivers[${index}]`
    const errors = validateNodeDriver(driver, path)
    if (seen.has(driver.name)) errors.push(duplicate(`${path}.name`, driver.name))
    seen.add(driver.name)
    return errors
  })
}

function validateNodeDriver({ name, nodeID = '', topologyKeys, allocatable }: CSINodeDriver, path: string) {
  const errors = validateCsiDriverName(name, `${path}.name`)
  if (!nodeID) errors.push(required(`${path}.nodeID`))
  if (nodeID.length > LONGEST_NODE_ID)
    errors.push(invalidValue(`${path}.nodeID`, nodeID, `must be ${LONGEST_NODE_ID} characters or less`))
  errors.push(...nonNegative(`${path}.allocatable.count`, allocatable?.count))
  const seen = new Set<string>()
  for (const key of topologyKeys ?? []) {
    if (!key) errors.push(required(path))
    if (seen.has(key)) errors.push(duplicate(path, key))
    seen.add(key)
    errors.push(...each(path, key, isQualifiedName))
  }
  return errors
}

/** A driver that stays may only say anew how many volumes it takes. */
function validateNodeUpdate({ spec }: CSINode, old: CSINode): FieldError[] {
  return (old.spec.drivers ?? []).flatMap(before => {
    const after = (spec.drivers ?? []).find(({ name }) => name === before.name)
    if (!after) return []
    const [{ allocatable: _new, ...kept }, { allocatable: _old, ...had }] = [after, before]
    return immutable('spec.drivers', kept, had)
  })
}

function validateAttachment({ spec }: VolumeAttachment): FieldError[] {
  const { persistentVolumeName: volume, inlineVolumeSpec: inline } = spec.source ?? {}
  const path = 'spec.source'
  const exactlyOne = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  const errors = validateCsiDriverName(spec.attacher, 'spec.attacher')
  if (inline === undefined && volume === undefined) errors.push(required(path, exactlyOne))
  else if (inline !== undefined && volume !== undefined) errors.push(forbiddenField(path, exactlyOne))
  else if (volume === '')
    errors.push(required(`${path}.persistentVolumeName`, 'must specify non empty persistentVolumeName'))
  if (volume !== undefined) errors.push(...each(`${path}.persistentVolumeName`, volume, isDns1123Subdomain))
  return [...errors, ...each('spec.nodeName', spec.nodeName ?? '', isDns1123Subdomain)]
}

function validateAttributes({ driverName, parameters = {} }: VolumeAttributesClass): FieldError[] {
  const errors = driverName
    ? each('driverName', driverName.toLowerCase(), isQualifiedName)
    : [required('driverName')]
  const entries = Object.entries(parameters)
  if (entries.length > MOST_PARAMETERS) return [...errors, tooLong('parameters', MOST_PARAMETERS)]
  if (entries.some(([key]) => key === ''))
    errors.push(invalidValue('parameters', '', 'field can not be empty.'))
  const size = entries.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0)
  if (size > MOST_PARAMETER_BYTES) errors.push(tooLong('parameters', MOST_PARAMETER_BYTES))
  if (entries.length === 0) errors.push(required('parameters', 'must contain at least one key/value pair'))
  return errors
}

export const csiChecks: Record<string, Validator> = {
  'storage.k8s.io/CSIDriver': {
    create: validateDriver,
    update: ({ spec }: CSIDriver, old: CSIDriver) => [
      ...immutable('spec.attachedRequired', spec.attachRequired, old.spec.attachRequired),
      ...immutable('spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.spec.volumeLifecycleModes),
    ],
  },
  'storage.k8s.io/CSINode': { create: validateNode, update: validateNodeUpdate },
  'storage.k8s.io/VolumeAttachment': {
    create: validateAttachment,
    update: ({ spec }: VolumeAttachment, old: VolumeAttachment) => immutable('spec', spec, old.spec),
  },
  'storage.k8s.io/VolumeAttributesClass': {
    create: validateAttributes,
    update: (after: VolumeAttributesClass, old: VolumeAttributesClass) =>
      (['driverName', 'parameters'] as const)
        .filter(field => !same(after[field], old[field]))
        .map(field => forbiddenField(field, `updates to ${field} are forbidden.`)),
  },
}
