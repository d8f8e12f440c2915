// Volumes and claims of the API with the scheduler's own decisions on top, until the API shows them itself: the next
// Pod must not be given the same volume.
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { VolumePlan } from './plan-volumes.ts'
import { SELECTED_NODE } from './plan-volumes.ts'
import type { VolumeObjects } from './volume-objects.ts'

const keyOf = ({ metadata }: PersistentVolumeClaim) => `${metadata.namespace}/${metadata.name}`

export class AssumedVolumes implements VolumeObjects {
  readonly #known: VolumeObjects
  readonly #volumes = new Map<string, PersistentVolume>()
  readonly #claims = new Map<string, PersistentVolumeClaim>()

  constructor(known: VolumeObjects) {
    this.#known = known
  }

  /** Returns what is to be written. */
  assume({ matches, provisions }: VolumePlan, nodeName: string): AssumedPlan {
    const volumes = matches.map(({ claim, volume }) => withClaim(volume, claim))
    const claims = provisions.map(claim => withNode(claim, nodeName))
    for (const volume of volumes) this.#volumes.set(volume.metadata.name, volume)
    for (const claim of claims) this.#claims.set(keyOf(claim), claim)
    return { volumes, claims }
  }

  /** Written, or given up: the API's word counts again. */
  forget({ volumes, claims }: AssumedPlan): void {
    for (const volume of volumes) this.#volumes.delete(volume.metadata.name)
    for (const claim of claims) this.#claims.delete(keyOf(claim))
  }

  claim(namespace: string, name: string): PersistentVolumeClaim | undefined {
    return this.#claims.get(`${namespace}/${name}`) ?? this.#known.claim(namespace, name)
  }

  volume(name: string): PersistentVolume | undefined {
    return this.#volumes.get(name) ?? this.#known.volume(name)
  }

  volumesOfClass(className: string): readonly PersistentVolume[] {
    return this.#known
      .volumesOfClass(className)
      .map(volume => this.#volumes.get(volume.metadata.name) ?? volume)
  }

  storageClass(name: string): ReturnType<VolumeObjects['storageClass']> {
    return this.#known.storageClass(name)
  }

  csiNode(name: string): ReturnType<VolumeObjects['csiNode']> {
    return this.#known.csiNode(name)
  }

  csiDriver(name: string): ReturnType<VolumeObjects['csiDriver']> {
    return this.#known.csiDriver(name)
  }

  capacitiesOfClass(className: string): ReturnType<VolumeObjects['capacitiesOfClass']> {
    return this.#known.capacitiesOfClass(className)
  }

  attachmentsAt(nodeName: string): ReturnType<VolumeObjects['attachmentsAt']> {
    return this.#known.attachmentsAt(nodeName)
  }
}

export interface AssumedPlan {
  volumes: readonly PersistentVolume[]
  claims: readonly PersistentVolumeClaim[]
}

/** Upstream: volume.GetBindVolumeToClaim. */
function withClaim(volume: PersistentVolume, { metadata }: PersistentVolumeClaim): PersistentVolume {
  const { name, namespace, uid, resourceVersion } = metadata
  const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid, resourceVersion }
  const annotations = { ...volume.metadata.annotations, 'pv.kubernetes.io/bound-by-controller': 'yes' }
  const isNew = !volume.spec.claimRef
  return {
    ...volume,
    metadata: isNew ? { ...volume.metadata, annotations } : volume.metadata,
    spec: { ...volume.spec, claimRef },
  }
}

function withNode(claim: PersistentVolumeClaim, nodeName: string): PersistentVolumeClaim {
  const annotations = { ...claim.metadata.annotations, [SELECTED_NODE]: nodeName }
  return { ...claim, metadata: { ...claim.metadata, annotations } }
}
