// Upstream: ValidateSecurityContext, ValidatePodSecurityContext and the sysctl checks.
import type { PodSecurityContext, PodSpec, SeccompProfile, SecurityContext } from '../../types/core-v1.ts'
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '../field-error.ts'
import type { PodContext } from './pod-context.ts'

const SECCOMP = ['Localhost', 'RuntimeDefault', 'Unconfined']
const PROC_MOUNTS = ['Default', 'Unmasked']

export function validateSecurityContext(
  context: SecurityContext | undefined,
  pod: PodContext,
  path: string,
): FieldError[] {
  if (!context) return []
  const errors = [
    ...ids(context, ['runAsUser', 'runAsGroup'], path),
    ...seccomp(context.seccompProfile, `${path}.seccompProfile`),
  ]
  const { procMount, allowPrivilegeEscalation, privileged, capabilities } = context
  if (procMount !== undefined) {
    if (!PROC_MOUNTS.includes(procMount))
      errors.push(notSupported(`${path}.procMount`, procMount, PROC_MOUNTS))
    else if (procMount === 'Unmasked' && pod.spec.hostUsers !== false) {
      errors.push(invalidValue(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'))
    }
  }
  if (allowPrivilegeEscalation === false) {
    if (privileged) {
      errors.push(
        invalidValue(
          path,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        ),
      )
    }
    if (capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      errors.push(
        invalidValue(
          path,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
        ),
      )
    }
  }
  return errors
}

function ids<T extends object>(from: T, fields: readonly (keyof T & string)[], path: string): FieldError[] {
  return fields.flatMap(field => {
    const id = from[field] as number | undefined
    return id === undefined || (id >= 0 && id <= 2_147_483_647)
      ? []
      : [invalidValue(`${path}.${field}`, id, 'must be between 0 and 2147483647, inclusive')]
  })
}

function seccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (!profile) return []
  if (!SECCOMP.includes(profile.type)) return [notSupported(`${path}.type`, profile.type, SECCOMP)]
  if (profile.type === 'Localhost') {
    return profile.localhostProfile
      ? []
      : [required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost')]
  }
  if (profile.localhostProfile === undefined) return []
  return [invalidValue(`${path}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost')]
}

const SYSCTL = '([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?'

export function validatePodSecurityContext(
  context: PodSecurityContext | undefined,
  spec: PodSpec,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.push(
      invalidValue(
        `${path}.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    )
  }
  if (!context) return errors
  errors.push(...ids(context, ['fsGroup', 'runAsUser', 'runAsGroup'], path))
  for (const [index, gid] of (context.supplementalGroups ?? []).entries()) {
    if (gid < 0 || gid > 2_147_483_647) {
      errors.push(
        invalidValue(
          `${path}.supplementalGroups[${index}]`,
          gid,
          'must be between 0 and 2147483647, inclusive',
        ),
      )
    }
  }
  return [
    ...errors,
    ...sysctls(context, spec, `${path}.sysctls`),
    ...seccomp(context.seccompProfile, `${path}.seccompProfile`),
  ]
}

function sysctls(context: PodSecurityContext, spec: PodSpec, path: string): FieldError[] {
  const seen = new Set<string>()
  return (context.sysctls ?? []).flatMap(({ name }, index) => {
    const at = `${path}[${index}].name`
    if (!name) return [required(at)]
    if (!new RegExp(`^${SYSCTL}$`).test(name) || name.length > 253) {
      return [invalidValue(at, name, `must have at most 253 characters and match regex ^${SYSCTL}$`)]
    }
    if (seen.has(name)) return [duplicate(at, name)]
    seen.add(name)
    if (spec.hostNetwork && name.startsWith('net.'))
      return [forbiddenField(at, `sysctl ${JSON.stringify(name)} is not allowed when hostNetwork is true`)]
    if (spec.hostIPC && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(name)) {
      return [forbiddenField(at, `sysctl ${JSON.stringify(name)} is not allowed when hostIPC is true`)]
    }
    return []
  })
}
