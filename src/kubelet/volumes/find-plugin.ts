import type { Volume } from '../../api/types/core-v1.ts'
import { csi } from './csi-volume-plugin.ts'
import { emptyDir } from './empty-dir.ts'
import { hostPath } from './host-path.ts'
import { image } from './image.ts'
import { persistentVolumeClaim } from './persistent-volume-claim.ts'
import { configMap, downwardAPI, projected, secret } from './projected-plugins.ts'
import type { VolumePlugin } from './volume-plugin.ts'

const PLUGINS: Partial<Record<keyof Volume, VolumePlugin>> = {
  emptyDir,
  hostPath,
  configMap,
  secret,
  downwardAPI,
  projected,
  image,
  csi,
  persistentVolumeClaim,
  ephemeral: persistentVolumeClaim,
}

/** A volume without a source is an emptyDir, as in Kubernetes. Other kinds get a plugin that says what is missing. */
export function findPlugin(volume: Volume): VolumePlugin {
  const kind = (Object.keys(volume) as (keyof Volume)[]).find(
    key => key !== 'name' && volume[key] !== undefined,
  )
  if (kind === undefined) return emptyDir
  return PLUGINS[kind] ?? unsupported(kind)
}

const unsupported = (kind: string): VolumePlugin => ({
  name: 'unsupported',
  setUp: () => Promise.reject(new Error(`volumes of type ${kind} are not supported on this node`)),
})
