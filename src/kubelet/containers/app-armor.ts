// Which AppArmor profile a container asks for. Upstream: pkg/security/apparmor GetProfile.
import type { AppArmorProfile, Container, EphemeralContainer, Pod } from '../../api/types/core-v1.ts'

const ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/'
const LOCALHOST = 'localhost/'

/** The container's own, else the annotation's (static pods may have only that), else the pod's. */
export function appArmorProfileOf(
  { metadata, spec }: Pod,
  { name, securityContext }: Pick<Container | EphemeralContainer, 'name' | 'securityContext'>,
): AppArmorProfile | undefined {
  return (
    securityContext?.appArmorProfile ??
    fromAnnotation(metadata.annotations?.[ANNOTATION + name]) ??
    spec.securityContext?.appArmorProfile
  )
}

function fromAnnotation(text: string | undefined): AppArmorProfile | undefined {
  if (!text) return undefined
  if (text === 'unconfined') return { type: 'Unconfined' }
  if (text.startsWith(LOCALHOST)) return { type: 'Localhost', localhostProfile: text.slice(LOCALHOST.length) }
  return { type: 'RuntimeDefault' }
}

/** The profile in one word, as it was written before there were fields. */
export function appArmorName({ type, localhostProfile }: AppArmorProfile): string {
  switch (type) {
    case 'Unconfined':
      return 'unconfined'
    case 'Localhost':
      return LOCALHOST + (localhostProfile ?? '')
    default:
      return 'runtime/default'
  }
}
