// Writes what is decided for claims and volumes; each step is left out when it is done already, so that a binding
// that was interrupted goes on. Upstream: bind and unbindVolume.
import { persistentVolumeClaims, persistentVolumes } from '../../api/resources.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import { same } from '../../api/validation/field-error.ts'
import type { Client } from '../../client/client.ts'
import type { ClaimAction } from './decide-claim.ts'
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  isBoundTo,
  STORAGE_PROVISIONER,
} from './volume-facts.ts'

const STATUS = { subresource: 'status' }

type Annotated = { metadata: { annotations?: Record<string, string> } }

/** The same object with more annotations. */
function annotated<T extends Annotated>(object: T, added: Record<string, string>): T {
  const annotations = { ...object.metadata.annotations, ...added }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

const hasAll = ({ metadata }: Annotated, wanted: Record<string, string>): boolean =>
  Object.entries(wanted).every(([key, value]) => metadata.annotations?.[key] === value)

export class VolumeBinder {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  async apply(claim: PersistentVolumeClaim, action: ClaimAction): Promise<void> {
    switch (action.do) {
      case 'bind':
        return this.#bind(claim, action.volume)
      case 'setClass':
        await this.#client.update(persistentVolumeClaims, {
          ...claim,
          spec: { ...claim.spec, storageClassName: action.className },
        })
        return
      case 'askProvisioner':
        return this.#askProvisioner(claim, action.provisioner)
      case 'wait':
        await this.#setClaimPhase(claim, 'Pending')
        return
      case 'lose':
        await this.#setClaimPhase(claim, 'Lost')
        return
    }
  }

  /** The volume first: two claims that want the same one cannot both get it. */
  async #bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    const reserved = await this.#reserve(volume, claim)
    await this.setPhase(reserved, 'Bound')
    const named = await this.#nameVolume(claim, volume)
    const { accessModes = [], capacity = {} } = volume.spec
    // One that is bound already keeps its capacity: the node tells when it sees a volume that has grown.
    const size = named.status.phase === 'Bound' ? {} : { capacity }
    const status = { ...named.status, phase: 'Bound' as const, accessModes, ...size }
    if (!same(status, named.status))
      await this.#client.update(persistentVolumeClaims, { ...named, status }, STATUS)
  }

  async #reserve(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<PersistentVolume> {
    if (isBoundTo(volume, claim) && volume.spec.claimRef?.uid) return volume
    const { name, namespace, uid, resourceVersion } = claim.metadata
    const claimRef = {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
      ...{ name, namespace: namespace!, uid, resourceVersion: resourceVersion! },
    }
    // One that its author reserved is not given to others when the claim goes.
    const wanted = volume.spec.claimRef ? volume : annotated(volume, { [BOUND_BY_CONTROLLER]: 'yes' })
    return this.#client.update(persistentVolumes, { ...wanted, spec: { ...wanted.spec, claimRef } })
  }

  async #nameVolume(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<PersistentVolumeClaim> {
    const volumeName = volume.metadata.name
    const annotations = {
      [BIND_COMPLETED]: 'yes',
      ...(claim.spec.volumeName !== volumeName && { [BOUND_BY_CONTROLLER]: 'yes' }),
    }
    if (claim.spec.volumeName === volumeName && hasAll(claim, annotations)) return claim
    const wanted = annotated(claim, annotations)
    return this.#client.update(persistentVolumeClaims, { ...wanted, spec: { ...wanted.spec, volumeName } })
  }

  async #askProvisioner(claim: PersistentVolumeClaim, provisioner: string): Promise<void> {
    const annotations = { [STORAGE_PROVISIONER]: provisioner, [BETA_STORAGE_PROVISIONER]: provisioner }
    const asked = hasAll(claim, annotations)
      ? claim
      : await this.#client.update(persistentVolumeClaims, annotated(claim, annotations))
    await this.#setClaimPhase(asked, 'Pending')
  }

  /** Without a volume it has no capacity and no access modes either. */
  async #setClaimPhase(claim: PersistentVolumeClaim, phase: 'Pending' | 'Lost'): Promise<void> {
    if (claim.status.phase === phase) return
    const { accessModes: _modes, capacity: _capacity, ...rest } = claim.status
    const status = phase === 'Pending' ? { ...rest, phase } : { ...claim.status, phase }
    await this.#client.update(persistentVolumeClaims, { ...claim, status }, STATUS)
  }

  async setPhase(
    volume: PersistentVolume,
    phase: NonNullable<PersistentVolume['status']['phase']>,
    message?: string,
  ): Promise<void> {
    if (volume.status.phase === phase) return
    const status = { phase, ...(message && { message }) }
    await this.#client.update(persistentVolumes, { ...volume, status }, STATUS)
  }

  /** Others may have it; what its author reserved stays reserved for the claim of that name. */
  async unbind(volume: PersistentVolume): Promise<void> {
    const { claimRef: _, ...spec } = volume.spec
    const { [BOUND_BY_CONTROLLER]: __, ...annotations } = volume.metadata.annotations ?? {}
    const metadata = { ...volume.metadata, annotations }
    const free = await this.#client.update(persistentVolumes, { ...volume, metadata, spec })
    await this.setPhase(free, 'Available')
  }
}
