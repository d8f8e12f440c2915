// The files that configMap, secret, downwardAPI and projected volumes consist of.

import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  ProjectedVolumeSource,
  Secret,
  ServiceAccountTokenProjection,
} from '../../api/types/core-v1.ts'
import { fieldValue } from '../containers/field-path.ts'
import { resourceFieldValue } from '../containers/resource-field.ts'
import type { ProjectedFile } from './atomic-writer.ts'
import type { VolumeContext, VolumeParts } from './volume-plugin.ts'

export interface Projected {
  files: Map<string, ProjectedFile>
  refreshAt?: number
}

interface Selection {
  name?: string
  items?: readonly KeyToPath[]
  optional?: boolean
}

export async function configMapFiles(
  { pod }: VolumeContext,
  { source }: VolumeParts,
  selection: Selection,
  mode: number,
): Promise<Map<string, ProjectedFile>> {
  const found = await source.findConfigMap(pod.metadata.namespace ?? '', selection.name ?? '')
  const words = { kind: 'configmap', missingKey: 'configmap references non-existent config key' }
  return selectFrom(found && configMapData(found), selection, mode, words)
}

function configMapData({ data = {}, binaryData = {} }: ConfigMap): Map<string, Buffer> {
  return new Map([
    ...Object.entries(data).map(([key, text]): [string, Buffer] => [key, Buffer.from(text)]),
    ...Object.entries(binaryData).map(([key, text]): [string, Buffer] => [key, Buffer.from(text, 'base64')]),
  ])
}

export async function secretFiles(
  { pod }: VolumeContext,
  { source }: VolumeParts,
  selection: Selection,
  mode: number,
): Promise<Map<string, ProjectedFile>> {
  const found = await source.findSecret(pod.metadata.namespace ?? '', selection.name ?? '')
  const words = { kind: 'secret', missingKey: 'references non-existent secret key' }
  return selectFrom(found && secretData(found), selection, mode, words)
}

const secretData = ({ data = {} }: Secret) =>
  new Map(Object.entries(data).map(([key, text]): [string, Buffer] => [key, Buffer.from(text, 'base64')]))

/** Without items every key is a file; with items only those. No data: there is no such object. */
function selectFrom(
  data: ReadonlyMap<string, Buffer> | undefined,
  { name = '', items, optional }: Selection,
  mode: number,
  words: { kind: string; missingKey: string },
): Map<string, ProjectedFile> {
  if (!data) {
    if (optional) return new Map()
    throw new Error(`${words.kind} "${name}" not found`)
  }
  if (!items?.length) return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode }]))
  const files = new Map<string, ProjectedFile>()
  for (const { key, path, mode: own } of items) {
    const bytes = data.get(key)
    if (bytes) files.set(path, { data: bytes, mode: own ?? mode })
    else if (!optional) throw new Error(`${words.missingKey}: ${key}`)
  }
  return files
}

export function downwardFiles(
  { pod, podIPs }: VolumeContext,
  { facts }: VolumeParts,
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
): Map<string, ProjectedFile> {
  return new Map(
    items.map(({ path, fieldRef, resourceFieldRef, mode: own }) => {
      const text = fieldRef
        ? fieldValue(pod, fieldRef.fieldPath, { ...facts, podIPs })
        : resourceFieldValue(pod, undefined, resourceFieldRef!, facts.allocatable)
      return [path, { data: Buffer.from(text), mode: own ?? mode }]
    }),
  )
}

export async function projectedFiles(
  context: VolumeContext,
  parts: VolumeParts,
  { sources, defaultMode = 0o644 }: ProjectedVolumeSource,
): Promise<Projected> {
  const files = new Map<string, ProjectedFile>()
  let refreshAt: number | undefined
  for (const source of sources ?? []) {
    const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, podCertificate } = source
    if (configMap) merge(files, await configMapFiles(context, parts, configMap, defaultMode))
    if (secret) merge(files, await secretFiles(context, parts, secret, defaultMode))
    if (downwardAPI) merge(files, downwardFiles(context, parts, downwardAPI.items ?? [], defaultMode))
    if (clusterTrustBundle) throw new Error('clusterTrustBundle projections are not supported on this node')
    if (podCertificate) throw new Error('podCertificate projections are not supported on this node')
    if (!serviceAccountToken) continue
    const token = await tokenFile(context, parts, serviceAccountToken, defaultMode)
    files.set(serviceAccountToken.path, token.file)
    refreshAt = Math.min(refreshAt ?? Number.POSITIVE_INFINITY, token.refreshAt)
  }
  return { files, ...(refreshAt !== undefined && { refreshAt }) }
}

function merge(files: Map<string, ProjectedFile>, more: ReadonlyMap<string, ProjectedFile>): void {
  for (const [path, file] of more) files.set(path, file)
}

async function tokenFile(
  { pod, now }: VolumeContext,
  { tokens }: VolumeParts,
  projection: ServiceAccountTokenProjection,
  mode: number,
): Promise<{ file: ProjectedFile; refreshAt: number }> {
  const { token, refreshAt } = await tokens.get(pod, projection, now)
  const owner = onlyUser(pod)
  return {
    // One user for all containers owns the token; with an fsGroup the group reads it.
    file: {
      data: Buffer.from(token),
      mode: owner !== undefined ? 0o600 : pod.spec.securityContext?.fsGroup !== undefined ? 0o640 : mode,
      ...(owner !== undefined && { uid: owner }),
    },
    refreshAt,
  }
}

/** The user that every container runs as, when there is one and the same. */
function onlyUser({ spec }: Pod): number | undefined {
  if (spec.securityContext?.fsGroup !== undefined) return undefined
  const all = [...(spec.initContainers ?? []), ...spec.containers]
  const users = new Set(
    all.map(({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser),
  )
  return users.size === 1 ? [...users][0] : undefined
}
