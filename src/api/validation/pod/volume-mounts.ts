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
import { descendingPath, noBacksteps } from './volume-paths.ts'

const PROPAGATIONS = ['Bidirectional', 'HostToContainer', 'None']
const RECURSIVE = ['Disabled', 'Enabled', 'IfPossible']

type AnyContainer = Container | EphemeralContainer

export function validateVolumeMounts(
  container: AnyContainer,
  { volumes }: PodContext,
  path: string,
): FieldError[] {
  const paths = new Set<string>()
  const devices = container.volumeDevices ?? []
  return (container.volumeMounts ?? []).flatMap((mount, index) => {
    const at = `${path}[${index}]`
    const { name, mountPath } = mount
    const errors: FieldError[] = name ? [] : [required(`${at}.name`)]
    const bad = (field: string, value: string, detail: string) =>
      errors.push(invalidValue(`${at}.${field}`, value, detail))
    if (!volumes.has(name)) errors.push(notFoundValue(`${at}.name`, name))
    if (!mountPath) errors.push(required(`${at}.mountPath`))
    if (paths.has(mountPath)) bad('mountPath', mountPath, 'must be unique')
    paths.add(mountPath)
    if (devices.some(device => device.name === name))
      bad('name', name, 'must not already exist in volumeDevices')
    if (devices.some(({ devicePath }) => devicePath === mountPath))
      bad('mountPath', mountPath, 'must not already exist as a path in volumeDevices')
    return [
      ...errors,
      ...subPaths(mount, path, at),
      ...propagation(mount, container, `${path}.mountPropagation`),
      ...recursive(mount, `${path}.recursiveReadOnly`),
    ]
  })
}

/** Upstream leaves the index out of most of these paths. */
function subPaths({ subPath, subPathExpr }: VolumeMount, path: string, at: string): FieldError[] {
  const errors = subPath ? descendingPath(subPath, `${path}.subPath`) : []
  if (!subPathExpr) return errors
  if (subPath) {
    const detail = 'subPathExpr and subPath are mutually exclusive'
    errors.push(invalidValue(`${at}.subPathExpr`, subPathExpr, detail))
  }
  return [...errors, ...descendingPath(subPathExpr, `${path}.subPathExpr`)]
}

function propagation(mount: VolumeMount, container: AnyContainer, path: string): FieldError[] {
  const value = mount.mountPropagation
  if (value === undefined) return []
  const errors = PROPAGATIONS.includes(value) ? [] : [notSupported(path, value, PROPAGATIONS)]
  if (value === 'Bidirectional' && !container.securityContext?.privileged) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers'
    errors.push(forbiddenField(path, detail))
  }
  return errors
}

function recursive(mount: VolumeMount, path: string): FieldError[] {
  const value = mount.recursiveReadOnly
  if (value === undefined || value === 'Disabled') return []
  if (!RECURSIVE.includes(value)) return [notSupported(path, value, RECURSIVE)]
  const errors: FieldError[] = []
  if (!mount.readOnly) errors.push(forbiddenField(path, 'may only be specified when readOnly is true'))
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== 'None') {
    const detail = 'may only be specified when mountPropagation is None or not specified'
    errors.push(forbiddenField(path, detail))
  }
  return errors
}

export function validateVolumeDevices(
  container: AnyContainer,
  { volumes }: PodContext,
  path: string,
): FieldError[] {
  const [names, paths] = [new Set<string>(), new Set<string>()]
  const mounts = container.volumeMounts ?? []
  return (container.volumeDevices ?? []).flatMap(({ name, devicePath }, index) => {
    const at = `${path}[${index}]`
    const errors: FieldError[] = name ? [] : [required(`${at}.name`)]
    const bad = (field: string, value: string, detail: string) =>
      errors.push(invalidValue(`${at}.${field}`, value, detail))
    if (names.has(name)) bad('name', name, 'must be unique')
    const volume = volumes.get(name)
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'
      bad('name', name, detail)
    }
    if (!volume) errors.push(notFoundValue(`${at}.name`, name))
    if (!devicePath) errors.push(required(`${at}.devicePath`))
    if (paths.has(devicePath)) bad('devicePath', devicePath, 'must be unique')
    if (devicePath && noBacksteps(devicePath, at).length > 0)
      bad('devicePath', devicePath, "can not contain backsteps ('..')")
    else paths.add(devicePath)
    if (mounts.some(mount => mount.name === name)) bad('name', name, 'must not already exist in volumeMounts')
    if (mounts.some(({ mountPath }) => mountPath === devicePath))
      bad('devicePath', devicePath, 'must not already exist as a path in volumeMounts')
    if (name) names.add(name)
    return errors
  })
}
