// Brings claims and volumes together and keeps both informed. What to do is decided in decide-claim.ts and
// decide-volume.ts. Upstream: pkg/controller/volume/persistentvolume.
import {
  nodes as nodeResource,
  persistentVolumeClaims,
  persistentVolumes,
  pods as podResource,
  storageClasses,
} from '../../api/resources.ts'
import { isConflict, isNotFound } from '../../api/status-error.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import type { StorageClass } from '../../api/types/storage-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { isTerminal } from '../pod-control/pod-state.ts'
import { byClaim, claimKeysOf } from './claims-of-pods.ts'
import { type ClaimAction, type Consumers, decideClaim } from './decide-claim.ts'
import { decideVolume, type VolumeAction } from './decide-volume.ts'
import { VolumeBinder } from './volume-binder.ts'
import { hasAnnotation, SELECTED_NODE } from './volume-facts.ts'

const CONCURRENCY = 4
const CLAIM = 'claim:'
const VOLUME = 'volume:'

export class PersistentVolumeController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #volumes: Informer<PersistentVolume>
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #classes: Informer<StorageClass>
  readonly #pods: Informer<Pod>
  readonly #nodes: Informer<Node>
  readonly #recorder: EventRecorder
  readonly #binder: VolumeBinder

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    const parts = { client, clock, log }
    this.#context = context
    this.#queue = new WorkQueue({ clock })
    this.#volumes = new Informer({ ...parts, resource: persistentVolumes })
    this.#claims = new Informer({ ...parts, resource: persistentVolumeClaims })
    this.#classes = new Informer({ ...parts, resource: storageClasses })
    this.#pods = new Informer({ ...parts, resource: podResource, indexers: byClaim })
    this.#nodes = new Informer({ ...parts, resource: nodeResource })
    this.#recorder = new EventRecorder({ ...parts, component: 'persistentvolume-controller' })
    this.#binder = new VolumeBinder(client)
    this.#listen()
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#volumes, this.#claims, this.#classes, this.#pods, this.#nodes]
    const reconcile = (key: string) => this.#reconcile(key)
    const loop = { queue: this.#queue, reconcile, signal, log: this.#context.log, concurrency: CONCURRENCY }
    await runController({ informers, ...loop })
  }

  #listen(): void {
    const addClaim = (claim: PersistentVolumeClaim) => this.#queue.add(CLAIM + keyOf(claim))
    this.#claims.addHandler({
      add: addClaim,
      update: (_, claim) => {
        addClaim(claim)
        this.#enqueueVolumeOf(claim)
      },
      delete: claim => this.#enqueueVolumeOf(claim),
    })
    this.#volumes.addHandler({
      add: volume => this.#volumeChanged(volume),
      update: (_, volume) => this.#volumeChanged(volume),
      delete: volume => this.#enqueueClaims(volume),
    })
    this.#classes.addHandler({ add: () => this.#enqueueUnbound(), update: () => this.#enqueueUnbound() })
    const podSeen = (pod: Pod) => {
      for (const key of claimKeysOf(pod)) this.#queue.add(CLAIM + key)
    }
    this.#pods.addHandler({
      add: podSeen,
      update: (old, pod) => {
        if (old.spec.nodeName !== pod.spec.nodeName) podSeen(pod)
      },
    })
  }

  #enqueueVolumeOf(claim: PersistentVolumeClaim): void {
    const { volumeName } = claim.spec
    if (volumeName) this.#queue.add(VOLUME + volumeName)
    // One that was reserved for it and never got it.
    for (const { metadata, spec } of this.#volumes.lister.list()) {
      if (spec.claimRef?.uid === claim.metadata.uid) this.#queue.add(VOLUME + metadata.name)
    }
  }

  #volumeChanged(volume: PersistentVolume): void {
    this.#queue.add(VOLUME + volume.metadata.name)
    this.#enqueueClaims(volume)
  }

  /** The claim that has it, or all that wait for one. */
  #enqueueClaims({ spec }: PersistentVolume): void {
    if (spec.claimRef) this.#queue.add(`${CLAIM}${spec.claimRef.namespace}/${spec.claimRef.name}`)
    else this.#enqueueUnbound()
  }

  #enqueueUnbound(): void {
    for (const claim of this.#claims.lister.list()) {
      if (claim.status.phase !== 'Bound') this.#queue.add(CLAIM + keyOf(claim))
    }
  }

  #reconcile(key: string): Promise<void> {
    return key.startsWith(CLAIM)
      ? this.#reconcileClaim(key.slice(CLAIM.length))
      : this.#reconcileVolume(key.slice(VOLUME.length))
  }

  async #reconcileClaim(key: string): Promise<void> {
    const claim = this.#claims.lister.findByKey(key)
    if (!claim) return
    const action = decideClaim(claim, {
      volumes: this.#volumes.lister.list(),
      classes: this.#classes.lister.list(),
      consumers: this.#consumersOf(key, claim),
    })
    await this.#carryOutForClaim(claim, action)
  }

  #consumersOf(key: string, claim: PersistentVolumeClaim): Consumers {
    const pods = this.#pods.lister.byIndex('claim', key).filter(pod => !isTerminal(pod))
    const waiting = pods.filter(({ spec }) => !spec.nodeName).map(({ metadata }) => metadata.name)
    const selected = hasAnnotation(claim, SELECTED_NODE)
      ? claim.metadata.annotations?.[SELECTED_NODE]
      : undefined
    const name = selected ?? pods.find(({ spec }) => spec.nodeName)?.spec.nodeName
    const node = name === undefined ? undefined : this.#nodes.lister.find(name)
    return { waiting, ...(node && { node }) }
  }

  async #carryOutForClaim(claim: PersistentVolumeClaim, action: ClaimAction): Promise<void> {
    if ('event' in action && action.event) {
      const { type, reason, message } = action.event
      this.#recorder.event(claim, type, reason, message)
    }
    await this.#tolerant(() => this.#binder.apply(claim, action))
  }

  async #reconcileVolume(name: string): Promise<void> {
    const volume = this.#volumes.lister.find(name)
    if (!volume) return
    const { claimRef } = volume.spec
    const claim = claimRef && this.#claims.lister.find(claimRef.name!, claimRef.namespace)
    // What the informer does not know yet may exist: only the server's word releases a volume.
    const known = claimRef?.uid && claim?.metadata.uid !== claimRef.uid ? await this.#ask(volume) : claim
    await this.#carryOutForVolume(volume, decideVolume(volume, known), known)
  }

  async #ask({ spec: { claimRef } }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> {
    const { name, namespace } = claimRef!
    try {
      return await this.#context.client.get(persistentVolumeClaims, { name: name!, namespace: namespace! })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async #carryOutForVolume(
    volume: PersistentVolume,
    action: VolumeAction,
    claim: PersistentVolumeClaim | undefined,
  ): Promise<void> {
    switch (action.do) {
      case 'nothing':
        return
      case 'enqueueClaim':
        return this.#enqueueClaims(volume)
      case 'mismatch':
        this.#recorder.event(volume, 'Warning', 'VolumeMismatch', action.onVolume)
        if (claim) this.#recorder.event(claim, 'Warning', 'VolumeMismatch', action.onClaim)
        return
      case 'setPhase':
        return this.#tolerant(() => this.#binder.setPhase(volume, action.phase))
      case 'fail':
        this.#recorder.event(volume, 'Warning', 'VolumeFailedDelete', action.message)
        return this.#tolerant(() => this.#binder.setPhase(volume, 'Failed', action.message))
      case 'unbind':
        return this.#tolerant(() => this.#binder.unbind(volume))
    }
  }

  /** A newer version is under way, or the object is gone: the informers bring it back. */
  async #tolerant(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
  }
}
