// AppArmor profiles were annotations before they were fields (KEP-24): for those who still read or write the old form,
// a new Pod has both. Upstream: applyAppArmorVersionSkew.
import type { AppArmorProfile, Pod } from '../../../../api/types/core-v1.ts'
import { validateAppArmor } from '../../../../api/validation/pod/security-context.ts'
import { deepEqual } from '../../deep-equal.ts'

const PREFIX = 'container.apparmor.security.beta.kubernetes.io/'
const LOCALHOST = 'localhost/'

/** Changes the pod; `warn` is told of annotations that have a field in their place now. */
export function syncAppArmor(pod: Pod, warn: (text: string) => void): void {
  if (pod.spec.os?.name === 'windows') return
  const { spec, metadata } = pod
  const podProfile = spec.securityContext?.appArmorProfile
  const all = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  for (const container of all) {
    const key = PREFIX + container.name
    const annotation = metadata.annotations?.[key]
    const profile = container.securityContext?.appArmorProfile
    if (annotation === undefined) {
      const text = annotationOf(profile ?? podProfile)
      if (text) metadata.annotations = { ...metadata.annotations, [key]: text }
      continue
    }
    if (profile) continue
    const field = fieldOf(annotation)
    const differs = field !== undefined && !deepEqual(field, podProfile)
    if (differs) container.securityContext = { ...container.securityContext, appArmorProfile: field }
    if (differs || !field)
      warn(`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`)
  }
}

function annotationOf(profile: AppArmorProfile | undefined): string {
  switch (profile?.type) {
    case 'RuntimeDefault':
      return 'runtime/default'
    case 'Unconfined':
      return 'unconfined'
    case 'Localhost':
      return profile.localhostProfile === undefined ? '' : `${LOCALHOST}${profile.localhostProfile}`
    default:
      return ''
  }
}

/** Undefined for what no field can say. */
function fieldOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  if (!annotation.startsWith(LOCALHOST)) return undefined
  const profile: AppArmorProfile = {
    type: 'Localhost',
    localhostProfile: annotation.slice(LOCALHOST.length),
  }
  return validateAppArmor(profile, '').length === 0 ? profile : undefined
}
