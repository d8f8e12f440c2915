// Annotations that mean something for Pods. Upstream: ValidatePodSpecificAnnotations and its update.
import type { Pod, PodSpec } from '../../types/core-v1.ts'
import type { ObjectMeta } from '../../types/meta-v1.ts'
import { type FieldError, forbiddenField, invalidValue } from '../field-error.ts'
import { containersOf } from './pod-context.ts'
import { descendingPath } from './volume-paths.ts'

export const MIRROR = 'kubernetes.io/config.mirror'
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/'
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/'
const LOCALHOST = 'localhost/'

type Annotations = Readonly<Record<string, string>>

export function validatePodAnnotations(
  annotations: Annotations = {},
  spec: PodSpec,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  const mirror = annotations[MIRROR]
  if (mirror !== undefined && !spec.nodeName) {
    const detail = 'must set spec.nodeName if mirror pod annotation is set'
    errors.push(invalidValue(`${path}[${MIRROR}]`, mirror, detail))
  }
  const cost = annotations[DELETION_COST]
  if (cost !== undefined && !isInt32(cost))
    errors.push(invalidValue(`${path}[${DELETION_COST}]`, cost, 'must be a 32bit integer'))
  return [...errors, ...seccompErrors(annotations, path), ...appArmorErrors(annotations, spec, path)]
}

/** Upstream: GetDeletionCostFromPodAnnotations: no plus sign, no leading zeros. */
function isInt32(text: string): boolean {
  const value = Number(text)
  return /^(0|-?[1-9]\d*)$/.test(text) && value >= -(2 ** 31) && value < 2 ** 31
}

function seccompErrors(annotations: Annotations, path: string): FieldError[] {
  return Object.entries(annotations)
    .filter(([key]) => key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER))
    .flatMap(([key, profile]) => {
      if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return []
      const at = `${path}.${key}`
      return profile.startsWith(LOCALHOST)
        ? descendingPath(profile.slice(LOCALHOST.length), at)
        : [invalidValue(at, profile, 'must be a valid seccomp profile')]
    })
}

function appArmorErrors(annotations: Annotations, spec: PodSpec, path: string): FieldError[] {
  const names = new Set([...containersOf(spec, '')].map(([{ name }]) => name))
  return Object.entries(annotations)
    .filter(([key]) => key.startsWith(APP_ARMOR))
    .flatMap(([key, profile]) => {
      const name = key.slice(APP_ARMOR.length)
      const at = `${path}[${key}]`
      const errors = names.has(name) ? [] : [invalidValue(at, name, 'container not found')]
      const known = profile === '' || profile === 'runtime/default' || profile === 'unconfined'
      if (!known && !profile.startsWith(LOCALHOST)) {
        const detail = `invalid AppArmor profile name: ${JSON.stringify(profile)}`
        errors.push(invalidValue(at, profile, detail))
      }
      return errors
    })
}

export function validatePodAnnotationsUpdate(pod: Pod, old: Pod): FieldError[] {
  const [now, before] = [pod.metadata.annotations ?? {}, old.metadata.annotations ?? {}]
  const errors: FieldError[] = []
  const refuse = (key: string, what: string) => {
    const field = `metadata.annotations[${key}]`
    if (key.startsWith(APP_ARMOR)) errors.push(forbiddenField(field, `may not ${what} AppArmor annotations`))
    if (key === MIRROR) errors.push(forbiddenField(field, `may not ${what} mirror pod annotation`))
  }
  for (const [key, value] of Object.entries(before)) if (now[key] !== value) refuse(key, 'remove or update')
  for (const key of Object.keys(now)) if (!(key in before)) refuse(key, 'add')
  return [...errors, ...validatePodAnnotations(now, pod.spec, 'metadata.annotations')]
}

interface Profile {
  type?: string
  localhostProfile?: string
}

/** The old annotations and the fields that replaced them must say the same. */
export function validateProfilesAgree(
  { annotations = {} }: Pick<ObjectMeta, 'annotations'>,
  spec: PodSpec,
  path: string,
): FieldError[] {
  if (Object.keys(annotations).length === 0) return []
  const podSeccomp = spec.securityContext?.seccompProfile
  const errors = agree(annotations[SECCOMP_POD], podSeccomp, 'seccomp', `${path}.securityContext`)
  const containers = [...containersOf(spec, path)]
  for (const [{ name, securityContext }, at] of containers) {
    const annotation = annotations[SECCOMP_CONTAINER + name]
    const profile = securityContext?.seccompProfile
    errors.push(...agree(annotation, profile, 'seccomp', `${at}.securityContext`))
  }
  if (spec.os?.name === 'windows') return errors
  for (const [{ name, securityContext }, at] of containers) {
    const annotation = annotations[APP_ARMOR + name]
    const profile = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile
    errors.push(...agree(annotation, profile, 'apparmor', `${at}.securityContext`))
  }
  return errors
}

const FIELD = { seccomp: 'seccompProfile', apparmor: 'appArmorProfile' } as const

function agree(
  annotation: string | undefined,
  profile: Profile | undefined,
  what: keyof typeof FIELD,
  path: string,
): FieldError[] {
  if (annotation === undefined || !profile) return []
  const at = `${path}.${FIELD[what]}`
  const types = [forbiddenField(`${at}.type`, `${what} type in annotation and field must match`)]
  switch (profile.type) {
    case 'Unconfined':
      return annotation === 'unconfined' ? [] : types
    case 'RuntimeDefault': {
      const docker = what === 'seccomp' && annotation === 'docker/default'
      return annotation === 'runtime/default' || docker ? [] : types
    }
    case 'Localhost':
      if (!annotation.startsWith(LOCALHOST)) return types
      return annotation.slice(LOCALHOST.length) === profile.localhostProfile
        ? []
        : [forbiddenField(`${at}.localhostProfile`, `${what} profile in annotation and field must match`)]
    default:
      return []
  }
}
