// Projected volumes. Upstream: validateProjectionSources.
import { isDns1123Subdomain } from '../../names.ts'
import type {
  ClusterTrustBundleProjection,
  KeyToPath,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../../types/core-v1.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../field-error.ts'
import { validateLabelSelector } from '../label-selector.ts'
import { validateAnnotations } from '../object-meta.ts'
import { validateSignerName } from '../signer-name.ts'
import { validateDownwardFile, validateKeyToPath, validateMode } from './volume-items.ts'
import { nonReservedPath } from './volume-paths.ts'

const SHORTEST_TOKEN_SECONDS = 600
const LONGEST_TOKEN_SECONDS = 2 ** 32

/** Paths that earlier sources take, and where the volume is. */
interface Taken {
  path: string
  paths: Set<string>
}

export function validateProjected(
  { sources, defaultMode }: ProjectedVolumeSource,
  path: string,
): FieldError[] {
  const taken: Taken = { path, paths: new Set() }
  return [
    ...validateMode(defaultMode, `${path}.defaultMode`),
    ...(sources ?? []).flatMap((source, index) => {
      const at = `${path}.sources[${index}]`
      const count = Object.values(source).filter(value => value !== undefined).length
      const errors = validateSource(source, taken, at)
      if (count > 1) errors.push(forbiddenField(at, 'may not specify more than 1 volume type per source'))
      return errors
    }),
  ]
}

function validateSource(source: VolumeProjection, taken: Taken, path: string): FieldError[] {
  const { secret, configMap, downwardAPI } = source
  const { serviceAccountToken: token, clusterTrustBundle, podCertificate } = source
  return [
    ...(secret ? validateKeys(secret, taken, `${path}.secret`) : []),
    ...(configMap ? validateKeys(configMap, taken, `${path}.configMap`) : []),
    ...(downwardAPI?.items ?? []).flatMap(file => [
      ...validateDownwardFile(file, `${path}.downwardAPI`),
      ...take(taken, file.path),
    ]),
    ...(token ? validateToken(token, taken.path, `${path}.serviceAccountToken`) : []),
    ...(clusterTrustBundle ? validateBundle(clusterTrustBundle, taken, `${path}.clusterTrustBundle`) : []),
    ...(podCertificate ? validateCertificate(podCertificate, taken, `${path}.podCertificate`) : []),
  ]
}

function take(taken: Taken, path: string | undefined, shown: string | undefined = path): FieldError[] {
  if (!path) return []
  if (taken.paths.has(path)) return [invalidValue(taken.path, shown ?? '', 'conflicting duplicate paths')]
  taken.paths.add(path)
  return []
}

function validateKeys(
  { name, items }: { name?: string; items?: KeyToPath[] },
  taken: Taken,
  path: string,
): FieldError[] {
  return [
    ...(name ? [] : [required(`${path}.name`)]),
    ...(items ?? []).flatMap((item, index) => [
      ...validateKeyToPath(item, `${path}.items[${index}]`),
      ...take(taken, item.path, name),
    ]),
  ]
}

function validateToken(token: ServiceAccountTokenProjection, volume: string, path: string): FieldError[] {
  const seconds = token.expirationSeconds ?? 0
  const errors: FieldError[] = []
  const bad = (detail: string) => errors.push(invalidValue(`${path}.expirationSeconds`, seconds, detail))
  if (seconds < SHORTEST_TOKEN_SECONDS) bad('may not specify a duration less than 10 minutes')
  if (seconds > LONGEST_TOKEN_SECONDS) bad('may not specify a duration larger than 2^32 seconds')
  // Upstream tells these at the volume, not at the source.
  const field = `${volume}.path`
  return [...errors, ...(token.path ? nonReservedPath(token.path, field) : [required(field)])]
}

function validateBundle(bundle: ClusterTrustBundleProjection, taken: Taken, path: string): FieldError[] {
  const { name, signerName, labelSelector } = bundle
  const errors: FieldError[] = []
  if (name !== undefined && signerName !== undefined)
    errors.push(invalidValue(path, bundle, 'only one of name and signerName may be used'))
  else if (name !== undefined) {
    if (!name) errors.push(required(`${path}.name`, 'must be a valid object name'))
    for (const detail of isDns1123Subdomain(name.replaceAll(':', '.')))
      errors.push(invalidValue(`${path}.name`, name, `not a valid clustertrustbundlename: ${detail}`))
    if (labelSelector) {
      const detail = 'labelSelector must be unset if name is specified'
      errors.push(invalidValue(`${path}.labelSelector`, labelSelector, detail))
    }
  } else if (signerName !== undefined) {
    if (!signerName) errors.push(required(`${path}.signerName`, 'must be a valid signer name'))
    errors.push(
      ...validateSignerName(signerName, `${path}.signerName`),
      ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
    )
  } else errors.push(required(path, 'either name or signerName must be specified'))
  if (!bundle.path) errors.push(required(`${path}.path`))
  return [...errors, ...nonReservedPath(bundle.path ?? '', `${path}.path`), ...take(taken, bundle.path)]
}

const KEY_TYPES = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
const DAY_SECONDS = 86_400

function validateCertificate(source: PodCertificateProjection, taken: Taken, path: string): FieldError[] {
  const { signerName, keyType, maxExpirationSeconds: seconds } = source
  const errors = [
    ...validateSignerName(signerName ?? '', `${path}.signerName`),
    ...validateAnnotations(source.userAnnotations, `${path}.userAnnotations`),
  ]
  if (!KEY_TYPES.includes(keyType ?? ''))
    errors.push(notSupported(`${path}.keyType`, keyType ?? '', KEY_TYPES))
  if (seconds !== undefined) {
    const most = (signerName ?? '').startsWith('kubernetes.io/') ? DAY_SECONDS : 91 * DAY_SECONDS
    const field = `${path}.maxExpirationSeconds`
    if (seconds < 3_600)
      errors.push(invalidValue(field, seconds, 'if provided, maxExpirationSeconds must be >= 3600'))
    if (seconds > most)
      errors.push(invalidValue(field, seconds, `if provided, maxExpirationSeconds must be <= ${most}`))
  }
  const files = (['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const).filter(
    name => source[name],
  )
  for (const name of files) {
    errors.push(...nonReservedPath(source[name]!, `${path}.${name}`), ...take(taken, source[name]))
  }
  if (files.length === 0) {
    const detail = 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'
    errors.push(required(path, detail))
  }
  return errors
}
