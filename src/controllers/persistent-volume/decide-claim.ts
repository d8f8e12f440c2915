// What becomes of a claim. Pure. Upstream: syncClaim in pkg/controller/volume/persistentvolume/pv_controller.go.
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { StorageClass } from '../../api/types/storage-v1.ts'
import { findVolume, mismatch } from './find-volume.ts'
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  classOfClaim,
  DEFAULT_CLASS,
  hasAnnotation,
  isBoundTo,
  SELECTED_NODE,
} from './volume-facts.ts'

export interface ClaimEvent {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

export type ClaimAction =
  | { do: 'bind'; volume: PersistentVolume }
  /** A class that became the default after the claim was made. */
  | { do: 'setClass'; className: string }
  /** Somebody is to make a volume: the class's provisioner. */
  | { do: 'askProvisioner'; provisioner: string; event: ClaimEvent }
  | { do: 'wait'; event?: ClaimEvent }
  | { do: 'lose'; event: ClaimEvent }

/** Who is going to use the claim: Pods that name it. */
export interface Consumers {
  /** Names of Pods that have no node yet. */
  waiting: readonly string[]
  /** Where the first Pod with a node is. */
  node?: Node
}

export interface ObservedStorage {
  volumes: readonly PersistentVolume[]
  classes: readonly StorageClass[]
  consumers: Consumers
}

const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

export function decideClaim(claim: PersistentVolumeClaim, observed: ObservedStorage): ClaimAction {
  if (hasAnnotation(claim, BIND_COMPLETED)) return keepBound(claim, observed.volumes)
  if (claim.spec.volumeName) return bindToNamed(claim, claim.spec.volumeName, observed.volumes)
  return bindToAny(claim, observed)
}

/** Upstream: syncBoundClaim. */
function keepBound(claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[]): ClaimAction {
  const { volumeName } = claim.spec
  if (!volumeName)
    return lost(
      'ClaimLost',
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    )
  const volume = volumes.find(({ metadata }) => metadata.name === volumeName)
  if (!volume)
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  const { claimRef } = volume.spec
  if (!claimRef || claimRef.uid === claim.metadata.uid) return { do: 'bind', volume }
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

const lost = (reason: string, message: string): ClaimAction => ({
  do: 'lose',
  event: { type: 'Warning', reason, message },
})

/** The author named the volume: it is waited for. */
function bindToNamed(
  claim: PersistentVolumeClaim,
  name: string,
  volumes: readonly PersistentVolume[],
): ClaimAction {
  const volume = volumes.find(({ metadata }) => metadata.name === name)
  if (!volume) return { do: 'wait' }
  if (isBoundTo(volume, claim)) return { do: 'bind', volume }
  if (!volume.spec.claimRef) {
    const why = mismatch(volume, claim)
    if (why === undefined) return { do: 'bind', volume }
    const message = `Cannot bind to requested volume "${name}": ${why}`
    return { do: 'wait', event: { type: 'Warning', reason: 'VolumeMismatch', message } }
  }
  const message = `volume "${name}" already bound to a different claim.`
  return hasAnnotation(claim, BOUND_BY_CONTROLLER)
    ? { do: 'wait' }
    : { do: 'wait', event: { type: 'Warning', reason: 'FailedBinding', message } }
}

function bindToAny(claim: PersistentVolumeClaim, observed: ObservedStorage): ClaimAction {
  const { volumes, classes, consumers } = observed
  const className = classOfClaim(claim)
  const storageClass = classes.find(({ metadata }) => metadata.name === className)
  const isDelayed = storageClass?.volumeBindingMode === 'WaitForFirstConsumer'
  const isTriggered = hasAnnotation(claim, SELECTED_NODE) || consumers.node !== undefined
  const reserved = volumes.find(volume => volume.spec.claimRef && isBoundTo(volume, claim))
  if (isDelayed && !isTriggered && !reserved) return waitForConsumer(consumers)
  const volume = findVolume(claim, volumes, isDelayed ? consumers.node : undefined)
  if (volume) return { do: 'bind', volume }
  if (className) return provision(className, storageClass)
  const fallback = className === undefined ? defaultClass(classes) : undefined
  if (fallback) return { do: 'setClass', className: fallback.metadata.name }
  const message = 'no persistent volumes available for this claim and no storage class is set'
  return { do: 'wait', event: { type: 'Normal', reason: 'FailedBinding', message } }
}

function waitForConsumer({ waiting }: Consumers): ClaimAction {
  const event: ClaimEvent =
    waiting.length > 0
      ? {
          type: 'Normal',
          reason: 'WaitForPodScheduled',
          message: `waiting for pod ${[...waiting].sort().join(',')} to be scheduled`,
        }
      : {
          type: 'Normal',
          reason: 'WaitForFirstConsumer',
          message: 'waiting for first consumer to be created before binding',
        }
  return { do: 'wait', event }
}

function provision(name: string, storageClass: StorageClass | undefined): ClaimAction {
  if (!storageClass) {
    const message = `storageclass.storage.k8s.io "${name}" not found`
    return { do: 'wait', event: { type: 'Warning', reason: 'ProvisioningFailed', message } }
  }
  const { provisioner } = storageClass
  if (provisioner === NO_PROVISIONER) {
    const message = 'no volume plugin matched name: kubernetes.io/no-provisioner'
    return { do: 'wait', event: { type: 'Warning', reason: 'ProvisioningFailed', message } }
  }
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`
  return {
    do: 'askProvisioner',
    provisioner,
    event: { type: 'Normal', reason: 'ExternalProvisioning', message },
  }
}

/** Of several defaults the youngest counts. Upstream: GetDefaultClass. */
export function defaultClass(classes: readonly StorageClass[]): StorageClass | undefined {
  const created = ({ metadata }: StorageClass) => metadata.creationTimestamp ?? ''
  return classes
    .filter(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true')
    .sort((a, b) => created(b).localeCompare(created(a)) || (a.metadata.name < b.metadata.name ? -1 : 1))[0]
}
