// Which other objects a pod's spec names. Upstream: pkg/api/v1/pod VisitPodSecretNames and VisitPodConfigmapNames.
import type { Container, EphemeralContainer, Pod, PodSpec, Volume } from '../types/core-v1.ts'

export interface PodReferences {
  secrets: Set<string>
  configMaps: Set<string>
  claims: Set<string>
}

/** Names in the pod's namespace; optional references count too. */
export function referencesOf({ metadata, spec }: Pick<Pod, 'metadata' | 'spec'>): PodReferences {
  const found: PodReferences = { secrets: new Set(), configMaps: new Set(), claims: new Set() }
  for (const { name } of spec.imagePullSecrets ?? []) add(found.secrets, name)
  for (const container of allContainers(spec)) fromEnvironment(container, found)
  for (const volume of spec.volumes ?? []) fromVolume(volume, metadata.name, found)
  return found
}

function add(set: Set<string>, name: string | undefined): void {
  if (name) set.add(name)
}

const allContainers = ({
  initContainers = [],
  containers,
  ephemeralContainers = [],
}: PodSpec): (Container | EphemeralContainer)[] => [...initContainers, ...containers, ...ephemeralContainers]

function fromEnvironment(
  { env = [], envFrom = [] }: Container | EphemeralContainer,
  found: PodReferences,
): void {
  for (const { secretRef, configMapRef } of envFrom) {
    add(found.secrets, secretRef?.name)
    add(found.configMaps, configMapRef?.name)
  }
  for (const { valueFrom } of env) {
    add(found.secrets, valueFrom?.secretKeyRef?.name)
    add(found.configMaps, valueFrom?.configMapKeyRef?.name)
  }
}

function fromVolume(volume: Volume, podName: string, found: PodReferences): void {
  add(found.secrets, volume.secret?.secretName)
  add(found.configMaps, volume.configMap?.name)
  add(found.claims, volume.persistentVolumeClaim?.claimName)
  // The claim is made for the pod and called after both.
  if (volume.ephemeral) add(found.claims, `${podName}-${volume.name}`)
  for (const source of volume.projected?.sources ?? []) {
    add(found.secrets, source.secret?.name)
    add(found.configMaps, source.configMap?.name)
  }
  for (const name of driverSecrets(volume)) add(found.secrets, name)
}

/** Secrets that volume drivers are handed. */
function driverSecrets(volume: Volume): (string | undefined)[] {
  return [
    volume.azureFile?.secretName,
    volume.cephfs?.secretRef?.name,
    volume.cinder?.secretRef?.name,
    volume.csi?.nodePublishSecretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.storageos?.secretRef?.name,
  ]
}
