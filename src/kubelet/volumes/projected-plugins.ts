// Volumes whose files come from API objects, all written through the atomic writer.
import { chmodSync, chownSync, mkdirSync } from 'node:fs'
import { Quantity } from '../../api/quantity.ts'
import type { Volume } from '../../api/types/core-v1.ts'
import { volumePath } from '../pod-paths.ts'
import { writeProjection } from './atomic-writer.ts'
import { isMounted } from './is-mounted.ts'
import { configMapFiles, downwardFiles, type Projected, projectedFiles, secretFiles } from './projection.ts'
import type {
  ReadyVolume,
  VolumeContext,
  VolumeParts,
  VolumePlugin,
  VolumeReference,
} from './volume-plugin.ts'

const DEFAULT_MODE = 0o644

export const configMap: VolumePlugin = {
  name: 'configmap',
  setUp: async (context, parts) => {
    const spec = context.volume.configMap!
    return write('configmap', context, parts, {
      files: await configMapFiles(context, parts, spec, spec.defaultMode ?? DEFAULT_MODE),
    })
  },
  references: ({ configMap }) => [{ kind: 'ConfigMap', name: configMap?.name ?? '' }],
}

export const secret: VolumePlugin = {
  name: 'secret',
  setUp: async (context, parts) => {
    const { secretName, items, optional, defaultMode = DEFAULT_MODE } = context.volume.secret!
    const selection = { name: secretName ?? '', ...(items && { items }), ...(optional && { optional }) }
    return write('secret', context, parts, {
      files: await secretFiles(context, parts, selection, defaultMode),
    })
  },
  references: ({ secret }) => [{ kind: 'Secret', name: secret?.secretName ?? '' }],
}

export const downwardAPI: VolumePlugin = {
  name: 'downward-api',
  setUp: async (context, parts) => {
    const { items = [], defaultMode = DEFAULT_MODE } = context.volume.downwardAPI!
    return write('downward-api', context, parts, { files: downwardFiles(context, parts, items, defaultMode) })
  },
  followsPod: () => true,
}

export const projected: VolumePlugin = {
  name: 'projected',
  setUp: async (context, parts) =>
    write('projected', context, parts, await projectedFiles(context, parts, context.volume.projected!)),
  references: ({ projected }) =>
    (projected?.sources ?? []).flatMap(({ configMap, secret }): VolumeReference[] => [
      ...(configMap ? [{ kind: 'ConfigMap' as const, name: configMap.name ?? '' }] : []),
      ...(secret ? [{ kind: 'Secret' as const, name: secret.name ?? '' }] : []),
    ]),
  followsPod: ({ projected }: Volume) => !!projected?.sources?.some(({ downwardAPI }) => downwardAPI),
}

/** What may be secret never reaches the disk. Upstream wraps these volumes in an emptyDir of medium Memory. */
const IN_MEMORY = new Set(['secret', 'projected', 'downward-api'])

function write(
  plugin: string,
  { pod, volume, now }: VolumeContext,
  { facts, mounter }: VolumeParts,
  { files, refreshAt }: Projected,
): ReadyVolume {
  const hostPath = volumePath(facts, pod.metadata.uid, plugin, volume.name)
  const group = pod.spec.securityContext?.fsGroup
  const inMemory = IN_MEMORY.has(plugin)
  mkdirSync(hostPath, { recursive: true, mode: 0o777 })
  if (inMemory && !isMounted(hostPath)) {
    const size = Quantity.parse(facts.allocatable.memory ?? '0').value()
    mounter.tmpfs(hostPath, `mode=1777${size > 0 ? `,size=${size}` : ''}`)
  }
  chmodSync(hostPath, (group === undefined ? 0o777 : 0o2777) | (inMemory ? 0o1000 : 0))
  if (group !== undefined) chownSync(hostPath, 0, group)
  // With an fsGroup, its members may read what only the owner could.
  const shared =
    group === undefined
      ? files
      : new Map([...files].map(([path, file]) => [path, { ...file, mode: file.mode | 0o440 }]))
  writeProjection(hostPath, shared, now, group)
  return { hostPath, readOnly: true, ...(refreshAt !== undefined && { refreshAt }) }
}
