// spec.volumes. Upstream: ValidateVolumes, validateVolumeSource. What each source must hold is in volume-sources.ts.
import { isDns1123Label, isDns1123Subdomain } from '../../names.ts'
import type { Volume } from '../../types/core-v1.ts'
import { duplicate, each, type FieldError, forbiddenField, invalidValue, required } from '../field-error.ts'
import type { PodContext } from './pod-context.ts'
import { SOURCES, type SourceName } from './volume-sources.ts'

/** Paths that upstream spells unlike the field: for the source's own errors, and for one source too many. */
const OWN_PATH: Partial<Record<SourceName, string>> = { gcePersistentDisk: 'persistentDisk' }
const CLASH_PATH: Partial<Record<SourceName, string>> = { cephfs: 'cephFS', downwardAPI: 'downwarAPI' }

/** The errors, and the volumes that have none: only those can be mounted. */
export function validateVolumes(
  context: PodContext,
  path: string,
): { errors: FieldError[]; volumes: Map<string, Volume> } {
  const list = context.spec.volumes ?? []
  const { podName } = context
  const made = new Set(
    podName ? list.filter(({ ephemeral }) => ephemeral).map(({ name }) => `${podName}-${name}`) : [],
  )
  const volumes = new Map<string, Volume>()
  const errors = list.flatMap((volume, index) => {
    const at = `${path}[${index}]`
    const own = [
      ...validateSource(volume, context, at),
      ...(volume.name ? each(`${at}.name`, volume.name, isDns1123Label) : [required(`${at}.name`)]),
    ]
    if (volumes.has(volume.name)) own.push(duplicate(`${at}.name`, volume.name))
    if (own.length === 0) volumes.set(volume.name, volume)
    const claim = volume.persistentVolumeClaim?.claimName
    if (claim !== undefined && made.has(claim)) {
      const detail = 'must not reference a PVC that gets created for an ephemeral volume'
      own.push(invalidValue(`${at}.persistentVolumeClaim.claimName`, claim, detail))
    }
    return own
  })
  return { errors, volumes }
}

function validateSource(volume: Volume, context: PodContext, path: string): FieldError[] {
  const names = (Object.keys(SOURCES) as SourceName[]).filter(name => volume[name] !== undefined)
  if (names.length === 0) return [required(path, 'must specify a volume type')]
  return names.flatMap((name, index) => {
    const errors =
      index === 0 || name === 'emptyDir'
        ? SOURCES[name](volume, `${path}.${OWN_PATH[name] ?? name}`, context)
        : [forbiddenField(`${path}.${CLASH_PATH[name] ?? name}`, 'may not specify more than 1 volume type')]
    return [...errors, ...nameErrors(volume, name, index, context, path)]
  })
}

/** Names that something else is derived from. */
function nameErrors(
  volume: Volume,
  source: SourceName,
  index: number,
  { podName }: PodContext,
  path: string,
): FieldError[] {
  const { name, iscsi } = volume
  if (source === 'iscsi' && iscsi?.initiatorName !== undefined) {
    const detail =
      'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'
    return `${name}:${iscsi.targetPortal}`.length > 64 ? [invalidValue(`${path}.name`, name, detail)] : []
  }
  if (source !== 'ephemeral' || index > 0 || !podName || !name) return []
  const claim = `${podName}-${name}`
  return isDns1123Subdomain(claim).map(detail =>
    invalidValue(`${path}.name`, name, `PVC name ${JSON.stringify(claim)}: ${detail}`),
  )
}
