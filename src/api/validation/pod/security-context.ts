// Upstream: ValidateSecurityContext, validatePodSpecSecurityContext and the sysctl, seccomp and AppArmor checks.
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '../../types/core-v1.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../field-error.ts'
import { internalForm } from '../internal-json.ts'
import type { PodContext } from './pod-context.ts'
import { descendingPath } from './volume-paths.ts'
import { validateWindowsOptions } from './windows.ts'

const SECCOMP = ['Localhost', 'RuntimeDefault', 'Unconfined']
const APP_ARMOR = ['Localhost', 'RuntimeDefault', 'Unconfined']
const PROC_MOUNTS = ['Default', 'Unmasked']
const LONGEST_PROFILE = 4_095
const ID_RANGE = 'must be between 0 and 2147483647, inclusive'

export function validateSecurityContext(
  context: SecurityContext | undefined,
  { spec }: PodContext,
  path: string,
): FieldError[] {
  if (!context) return []
  const { procMount } = context
  const errors = ids(context, ['runAsUser', 'runAsGroup'], path)
  if (procMount !== undefined) {
    const field = `${path}.procMount`
    if (!PROC_MOUNTS.includes(procMount)) errors.push(notSupported(field, procMount, PROC_MOUNTS))
    if (procMount === 'Unmasked' && spec.hostUsers !== false)
      errors.push(invalidValue(field, procMount, '`hostUsers` must be false to use `Unmasked`'))
  }
  return [
    ...errors,
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateEscalation(context, path),
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
  ]
}

function validateEscalation(context: SecurityContext, path: string): FieldError[] {
  if (context.allowPrivilegeEscalation !== false) return []
  const shown = () => internalForm('core/v1.SecurityContext', context as Record<string, unknown>)
  const cannot = (what: string) =>
    invalidValue(path, shown(), `cannot set \`allowPrivilegeEscalation\` to false and ${what}`)
  return [
    ...(context.privileged ? [cannot('`privileged` to true')] : []),
    ...(context.capabilities?.add ?? [])
      .filter(name => name === 'CAP_SYS_ADMIN')
      .map(() => cannot('`capabilities.Add` CAP_SYS_ADMIN')),
  ]
}

export const validateId = (id: number | undefined, path: string): FieldError[] =>
  id === undefined || (id >= 0 && id <= 2_147_483_647) ? [] : [invalidValue(path, id, ID_RANGE)]

function ids<T extends object>(from: T, fields: readonly (keyof T & string)[], path: string): FieldError[] {
  return fields.flatMap(field => validateId(from[field] as number | undefined, `${path}.${field}`))
}

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return []
  const errors: FieldError[] = []
  if (!profile.type) errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else if (!SECCOMP.includes(profile.type)) errors.push(notSupported(`${path}.type`, profile.type, SECCOMP))
  const field = `${path}.localhostProfile`
  const { localhostProfile } = profile
  if (profile.type === 'Localhost') {
    if (localhostProfile === undefined)
      errors.push(required(field, 'must be set when seccomp type is Localhost'))
    else errors.push(...descendingPath(localhostProfile, field))
  } else if (localhostProfile !== undefined) {
    const shown = internalForm('core/v1.SeccompProfile', { ...profile })
    errors.push(invalidValue(field, shown, 'can only be set when seccomp type is Localhost'))
  }
  return errors
}

export function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (!profile) return []
  const { type, localhostProfile } = profile
  const field = `${path}.localhostProfile`
  if (!type) return [required(`${path}.type`, 'type is required when appArmorProfile is set')]
  if (!APP_ARMOR.includes(type)) return [notSupported(`${path}.type`, type, APP_ARMOR)]
  if (type !== 'Localhost') {
    return localhostProfile === undefined
      ? []
      : [invalidValue(field, localhostProfile, 'can only be set when AppArmor type is Localhost')]
  }
  const mustBeSet = required(field, 'must be set when AppArmor type is Localhost')
  if (localhostProfile === undefined) return [mustBeSet]
  const errors: FieldError[] = []
  if (localhostProfile !== localhostProfile.trim())
    errors.push(invalidValue(field, localhostProfile, 'must not be padded with whitespace'))
  else if (localhostProfile === '') errors.push(mustBeSet)
  if (Buffer.byteLength(localhostProfile) > LONGEST_PROFILE) errors.push(tooLong(field, LONGEST_PROFILE))
  return errors
}

const FS_GROUP_POLICIES = ['Always', 'OnRootMismatch']
const GROUPS_POLICIES = ['Merge', 'Strict']
/** MountOption comes with a gate that is off. */
const SELINUX_POLICIES = ['MountOption', 'Recursive']

export function validatePodSecurityContext(
  context: PodSecurityContext | undefined,
  spec: PodSpec,
  path: string,
): FieldError[] {
  const own = context ?? {}
  const errors = [
    ...ids(own, ['fsGroup', 'runAsUser', 'runAsGroup'], path),
    ...(own.supplementalGroups ?? []).flatMap((gid, index) =>
      validateId(gid, `${path}.supplementalGroups[${index}]`),
    ),
  ]
  if (spec.shareProcessNamespace && spec.hostPID) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled'
    errors.push(invalidValue(`${path}.shareProcessNamespace`, true, detail))
  }
  return [
    ...errors,
    ...validateSysctls(own, spec, `${path}.sysctls`),
    ...amongIfSet(own.fsGroupChangePolicy, FS_GROUP_POLICIES, `${path}.fsGroupChangePolicy`),
    ...validateSeccomp(own.seccompProfile, `${path}.seccompProfile`),
    ...validateWindowsOptions(own.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(own.appArmorProfile, `${path}.appArmorProfile`),
    ...amongIfSet(own.supplementalGroupsPolicy, GROUPS_POLICIES, `${path}.supplementalGroupsPolicy`),
    ...amongIfSet(own.seLinuxChangePolicy, SELINUX_POLICIES, `${path}.seLinuxChangePolicy`),
  ]
}

const amongIfSet = (value: string | undefined, valid: readonly string[], path: string): FieldError[] =>
  value === undefined || valid.includes(value) ? [] : [notSupported(path, value, valid)]

const SEGMENT = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SYSCTL = `^(${SEGMENT}[\\./])*${SEGMENT}$`
const LONGEST_SYSCTL = 253
const sysctlPattern = new RegExp(SYSCTL)

function validateSysctls(context: PodSecurityContext, spec: PodSpec, path: string): FieldError[] {
  const seen = new Set<string>()
  return (context.sysctls ?? []).flatMap(({ name }, index) => {
    const at = `${path}[${index}].name`
    const errors: FieldError[] = []
    if (!name) errors.push(required(at))
    else if (name.length > LONGEST_SYSCTL || !sysctlPattern.test(name)) {
      const detail = `must have at most ${LONGEST_SYSCTL} characters and match regex ${SYSCTL}`
      errors.push(invalidValue(at, name, detail))
    } else if (seen.has(name)) errors.push(duplicate(at, name))
    seen.add(name)
    const group = namespaceOf(name)
    if (spec.hostNetwork && group === 'net')
      errors.push(invalidValue(at, name, "may not be specified when 'hostNetwork' is true"))
    else if (spec.hostIPC && group === 'ipc')
      errors.push(invalidValue(at, name, "may not be specified when 'hostIPC' is true"))
    return errors
  })
}

/** Upstream: component-helpers node/util/sysctl GetNamespace. */
function namespaceOf(sysctl: string): 'net' | 'ipc' | undefined {
  const firstDot = sysctl.indexOf('.')
  const firstSlash = sysctl.indexOf('/')
  const slashed = firstSlash >= 0 && (firstDot < 0 || firstSlash < firstDot)
  const name = slashed ? sysctl.replace(/[./]/g, letter => (letter === '/' ? '.' : '/')) : sysctl
  if (name.startsWith('net.')) return 'net'
  if (name === 'kernel.sem' || /^kernel\.(shm|msg)/.test(name) || name.startsWith('fs.mqueue.')) return 'ipc'
  return undefined
}

/** A user namespace of its own, beside namespaces of the host. Upstream: validateHostUsers. */
export function validateHostUsers(context: PodContext, devices: readonly string[]): FieldError[] {
  const { spec, path } = context
  if (spec.hostUsers !== false) return []
  const fields = [
    ...(spec.hostNetwork ? ['hostNetwork'] : []),
    ...(spec.hostPID ? ['HostPID'] : []),
    ...(spec.hostIPC ? ['HostIPC'] : []),
  ].map(name => `${path}.${name}`)
  return [...fields, ...devices].map(field => forbiddenField(field, 'when `hostUsers` is false'))
}
