// Upstream: ValidateVolumeMounts, ValidateVolumeDevices.
import type { Container, EphemeralContainer, VolumeMount } from '../../types/core-v1.ts'
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
} from '../field-error.ts'
import type { PodContext } from './pod-context.ts'

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']
const RECURSIVE = ['Disabled', 'Enabled', 'IfPossible']

export function validateVolumeMounts(
  container: Container | EphemeralContainer,
  { volumes }: PodContext,
  path: string,
): FieldError[] {
  const paths = new Set<string>()
  const devices = new Set((container.volumeDevices ?? []).map(({ devicePath }) => devicePath))
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${path}[${index}]`
    const errors: FieldError[] = mount.name ? [] : [required(`${at}.name`)]
    if (!volumes.has(mount.name)) errors.push(notFoundValue(`${at}.name`, mount.name))
    if (!mount.mountPath) errors.push(required(`${at}.mountPath`))
    if (paths.has(mount.mountPath))
      errors.push(invalidValue(`${at}.mountPath`, mount.mountPath, 'must be unique'))
    paths.add(mount.mountPath)
    if (devices.has(mount.mountPath)) {
      errors.push(invalidValue(`${at}.mountPath`, mount.mountPath, 'must not already exist in volumeDevices'))
    }
    return [...errors, ...subPaths(mount, at), ...propagation(mount, container, at), ...recursive(mount, at)]
  })
}

function subPaths({ subPath, subPathExpr }: VolumeMount, path: string): FieldError[] {
  if (subPath && subPathExpr) {
    return [
      invalidValue(`${path}.subPathExpr`, subPathExpr, 'subPathExpr and subPath are mutually exclusive'),
    ]
  }
  const [field, text] = subPath ? ['subPath', subPath] : ['subPathExpr', subPathExpr]
  return text ? descendingPath(text, `${path}.${field}`) : []
}

/** A path that stays below where it starts. Upstream: validateLocalDescendingPath. */
export function descendingPath(text: string, path: string): FieldError[] {
  if (text.startsWith('/')) return [invalidValue(path, text, 'must be a relative path')]
  return text.split('/').includes('..') ? [invalidValue(path, text, "must not contain '..'")] : []
}

function propagation(
  mount: VolumeMount,
  container: Container | EphemeralContainer,
  path: string,
): FieldError[] {
  const value = mount.mountPropagation
  if (value === undefined) return []
  if (!PROPAGATIONS.includes(value)) return [notSupported(`${path}.mountPropagation`, value, PROPAGATIONS)]
  if (value !== 'Bidirectional' || container.securityContext?.privileged) return []
  return [
    forbiddenField(
      `${path}.mountPropagation`,
      'Bidirectional mount propagation is available only to privileged containers',
    ),
  ]
}

function recursive(mount: VolumeMount, path: string): FieldError[] {
  const value = mount.recursiveReadOnly
  if (value === undefined) return []
  const field = `${path}.recursiveReadOnly`
  if (!RECURSIVE.includes(value)) return [notSupported(field, value, RECURSIVE)]
  if (value !== 'Disabled' && !mount.readOnly)
    return [forbiddenField(field, 'may only be specified when readOnly is true')]
  return []
}

export function validateVolumeDevices(
  container: Container | EphemeralContainer,
  { volumes }: PodContext,
  path: string,
): FieldError[] {
  const seen = new Set<string>()
  return (container.volumeDevices ?? []).flatMap((device, index) => {
    const at = `${path}[${index}]`
    const errors: FieldError[] = device.name ? [] : [required(`${at}.name`)]
    const volume = volumes.get(device.name)
    if (!volume) errors.push(notFoundValue(`${at}.name`, device.name))
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      errors.push(
        invalidValue(
          `${at}.name`,
          device.name,
          'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
        ),
      )
    }
    if (!device.devicePath) errors.push(required(`${at}.devicePath`))
    else if (seen.has(device.devicePath))
      errors.push(invalidValue(`${at}.devicePath`, device.devicePath, 'must be unique'))
    seen.add(device.devicePath)
    return errors
  })
}
