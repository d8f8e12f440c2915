// Which claims a Pod mounts, its ephemeral ones among them.
import type { Pod, Volume } from '../../api/types/core-v1.ts'
import type { Indexer } from '../../client/lister.ts'

/** A generic ephemeral volume's claim is called after the Pod and the volume. */
export function claimNameOf(pod: Pod, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName
  return volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined
}

/** 'namespace/name' of each. */
export const claimKeysOf = (pod: Pod): string[] =>
  (pod.spec.volumes ?? [])
    .map(volume => claimNameOf(pod, volume))
    .filter(name => name !== undefined)
    .map(name => `${pod.metadata.namespace}/${name}`)

/** For an informer's `indexers`: Pods by the keys of their claims, under 'claim'. */
export const byClaim: Record<string, Indexer<Pod>> = { claim: claimKeysOf }
