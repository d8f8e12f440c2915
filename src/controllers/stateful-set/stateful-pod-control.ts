// Carries out what is decided for a StatefulSet's Pods and their claims, and tells of it by events on the set.
// Upstream: stateful_pod_control.go.
import type { Draft } from '../../api/kube-object.ts'
import { persistentVolumeClaims, pods as podResource } from '../../api/resources.ts'
import { isAlreadyExists, isNotFound } from '../../api/status-error.ts'
import type { StatefulSet } from '../../api/types/apps-v1.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events/event-recorder.ts'
import type { Lister } from '../../client/lister.ts'
import { isNamespaceTerminating, messageOf } from '../pod-control/pod-control.ts'
import {
  claimNames,
  claimsOfOrdinal,
  hasForeignController,
  isStale,
  ownersAreRight,
  rightOwners,
} from './claims.ts'
import type { StatefulAction } from './decide-stateful-set.ts'
import { ordinalOf, podName } from './ordinals.ts'
import { hasIdentity, hasStorage, repaired } from './stateful-pod.ts'

export interface StatefulPodControlOptions {
  client: Client
  recorder: Pick<EventRecorder, 'event'>
  claims: Lister<PersistentVolumeClaim>
}

export class StatefulPodControl {
  readonly #options: StatefulPodControlOptions

  constructor(options: StatefulPodControlOptions) {
    this.#options = options
  }

  claimsAreRight(set: StatefulSet, pod: Pod): boolean {
    return this.#claimsOf(set, pod).every(claim => ownersAreRight(set, pod, claim))
  }

  /** For a Pod that does not exist yet. */
  claimIsStale(set: StatefulSet, ordinal: number): boolean {
    const pod = { metadata: { name: podName(set, ordinal) } }
    return claimsOfOrdinal(set, ordinal)
      .map(({ metadata }) => this.#findClaim(metadata.name, set))
      .some(claim => claim !== undefined && isStale(claim, pod))
  }

  /** Throws what the server answers. */
  perform(set: StatefulSet, action: StatefulAction): Promise<void> {
    switch (action.do) {
      case 'create':
        return this.#create(set, action.pod, action.ordinal)
      case 'makeClaims':
        return this.#makeClaims(set, ordinalOf(action.pod))
      case 'repair':
        return this.#repair(set, action.pod)
      case 'giveClaims':
        return this.#ownClaims(set, action.pod)
      case 'delete':
        return this.#delete(set, action.pod)
    }
  }

  async #create(set: StatefulSet, pod: Draft<Pod>, ordinal: number): Promise<void> {
    await this.#told('create', set, pod.metadata.name, async () => {
      await this.#makeClaims(set, ordinal)
      await this.#options.client.create(podResource, pod)
    })
  }

  async #delete(set: StatefulSet, { metadata: { name, namespace, uid } }: Pod): Promise<void> {
    await this.#told('delete', set, name, async () => {
      // The uid: what is known here may be late, and the next Pod has the same name.
      const options = { preconditions: { uid } }
      await this.#options.client.delete(podResource, { name, namespace: namespace! }, options)
    })
  }

  /** Upstream: UpdateStatefulPod. */
  async #repair(set: StatefulSet, pod: Pod): Promise<void> {
    if (!this.claimsAreRight(set, pod)) await this.#ownClaims(set, pod)
    if (hasIdentity(set, pod) && hasStorage(set, pod)) return
    await this.#told('update', set, pod.metadata.name, async () => {
      if (!hasStorage(set, pod)) await this.#makeClaims(set, ordinalOf(pod))
      await this.#options.client.update(podResource, repaired(set, pod))
    })
  }

  async #makeClaims(set: StatefulSet, ordinal: number): Promise<void> {
    const missing = claimsOfOrdinal(set, ordinal).filter(
      ({ metadata }) => !this.#findClaim(metadata.name, set),
    )
    for (const claim of missing) await this.#createClaim(set, claim, podName(set, ordinal))
  }

  async #createClaim(set: StatefulSet, claim: Draft<PersistentVolumeClaim>, pod: string): Promise<void> {
    const { client, recorder } = this.#options
    const name = claim.metadata.name
    try {
      await client.create(persistentVolumeClaims, claim)
    } catch (error) {
      // The informer is late.
      if (isAlreadyExists(error)) return
      const text = messageOf(error)
      if (!isNamespaceTerminating(error)) {
        const message = `Create Claim ${name} for Pod ${pod} in StatefulSet ${set.metadata.name} failed error: ${text}`
        recorder.event(set, 'Warning', 'FailedCreate', message)
      }
      throw new Error(`failed to create PVC ${name}: ${text}`, { cause: error })
    }
    const message = `Create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name} success`
    recorder.event(set, 'Normal', 'SuccessfulCreate', message)
  }

  async #ownClaims(set: StatefulSet, pod: Pod): Promise<void> {
    const { client, recorder } = this.#options
    for (const claim of this.#claimsOf(set, pod)) {
      if (hasForeignController(set, pod, claim)) {
        const message = `PersistentVolumeClaim ${claim.metadata.name} has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim`
        recorder.event(set, 'Warning', 'ConflictingController', message)
      } else if (!ownersAreRight(set, pod, claim)) {
        const ownerReferences = rightOwners(set, pod, claim)
        const wanted = { ...claim, metadata: { ...claim.metadata, ownerReferences } }
        await client.update(persistentVolumeClaims, wanted)
      }
    }
  }

  #claimsOf(set: StatefulSet, pod: Pod): PersistentVolumeClaim[] {
    return claimNames(set, pod)
      .map(name => this.#findClaim(name, set))
      .filter(claim => claim !== undefined)
  }

  #findClaim(name: string, { metadata }: StatefulSet): PersistentVolumeClaim | undefined {
    return this.#options.claims.find(name, metadata.namespace)
  }

  /** What exists already or is gone already is no news. Upstream: recordPodEvent. */
  async #told(
    verb: 'create' | 'update' | 'delete',
    set: StatefulSet,
    pod: string,
    act: () => Promise<void>,
  ): Promise<void> {
    const { recorder } = this.#options
    const title = verb[0]!.toUpperCase() + verb.slice(1)
    const what = `${title} Pod ${pod} in StatefulSet ${set.metadata.name}`
    try {
      await act()
    } catch (error) {
      if (verb === 'delete' && isNotFound(error)) return
      if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) {
        recorder.event(set, 'Warning', `Failed${title}`, `${what} failed error: ${messageOf(error)}`)
      }
      throw error
    }
    recorder.event(set, 'Normal', `Successful${title}`, `${what} successful`)
  }
}
