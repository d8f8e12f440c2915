// Makes volumes out of directories and files of the node, for claims of its StorageClass, and takes them away when they are
// released. Works as external provisioners do. Upstream: sig-storage-lib-external-provisioner.
import type { Draft } from '../../api/kube-object.ts'
import { Quantity } from '../../api/quantity.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../api/resources.ts'
import { isAlreadyExists, isNotFound } from '../../api/status-error.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/core-v1.ts'
import type { StorageClass } from '../../api/types/storage-v1.ts'
import { runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import {
  BETA_STORAGE_PROVISIONER,
  classOfClaim,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from '../persistent-volume/volume-facts.ts'
import { messageOf } from '../pod-control/pod-control.ts'
import type { LocalDirectories } from './local-directories.ts'
import { LOCAL_PATH, localVolume } from './local-volume.ts'
import { VolumeExpander } from './volume-expander.ts'

export interface LocalPathOptions {
  directories: LocalDirectories
  /** Whose directories these are. */
  nodeName: string
}

export class LocalPathProvisioner {
  readonly #context: ControllerContext
  readonly #options: LocalPathOptions
  readonly #queue: WorkQueue<string>
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #volumes: Informer<PersistentVolume>
  readonly #classes: Informer<StorageClass>
  readonly #recorder: EventRecorder
  readonly #expander: VolumeExpander

  constructor(context: ControllerContext, options: LocalPathOptions) {
    const { client, clock, log } = context
    const parts = { client, clock, log }
    this.#context = context
    this.#options = options
    this.#queue = new WorkQueue({ clock })
    this.#claims = new Informer({ ...parts, resource: persistentVolumeClaims })
    this.#volumes = new Informer({ ...parts, resource: persistentVolumes })
    this.#classes = new Informer({ ...parts, resource: storageClasses })
    this.#recorder = new EventRecorder({ ...parts, component: LOCAL_PATH })
    const addClaim = (claim: PersistentVolumeClaim) => this.#queue.add(`claim:${keyOf(claim)}`)
    this.#claims.addHandler({ add: addClaim, update: (_, claim) => addClaim(claim) })
    this.#expander = new VolumeExpander(context, this.#recorder, options.directories)
    const addVolume = ({ metadata, spec }: PersistentVolume) => {
      this.#queue.add(`volume:${metadata.name}`)
      if (spec.claimRef) this.#queue.add(`claim:${spec.claimRef.namespace}/${spec.claimRef.name}`)
    }
    this.#volumes.addHandler({ add: addVolume, update: (_, volume) => addVolume(volume) })
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#claims, this.#volumes, this.#classes]
    const reconcile = (key: string) => this.#reconcile(key)
    const loop = { queue: this.#queue, reconcile, signal, log: this.#context.log, concurrency: 4 }
    await runController({ informers, ...loop })
  }

  #reconcile(key: string): Promise<void> {
    const [kind, name] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)]
    return kind === 'claim' ? this.#reconcileClaim(name) : this.#delete(name)
  }

  #reconcileClaim(key: string): Promise<void> {
    const claim = this.#claims.lister.findByKey(key)
    return claim?.spec.volumeName ? this.#expand(claim) : this.#provision(key)
  }

  async #expand(claim: PersistentVolumeClaim): Promise<void> {
    const volume = this.#volumes.lister.find(claim.spec.volumeName!)
    if (volume?.metadata.annotations?.[PROVISIONED_BY] !== LOCAL_PATH) return
    if (volume.spec.claimRef?.uid !== claim.metadata.uid) return
    await this.#expander.expand(claim, volume)
  }

  async #provision(key: string): Promise<void> {
    const claim = this.#claims.lister.findByKey(key)
    if (!claim || !this.#isAsked(claim)) return
    const storageClass = this.#classes.lister.find(classOfClaim(claim) ?? '')
    const name = `pvc-${claim.metadata.uid}`
    if (!storageClass || this.#volumes.lister.find(name)) return
    const message = `External provisioner is provisioning volume for claim "${key}"`
    this.#recorder.event(claim, 'Normal', 'Provisioning', message)
    try {
      const path = await this.#make(name, claim)
      await this.#create(localVolume(claim, { name, path, storageClass, nodeName: this.#options.nodeName }))
      const success = `Successfully provisioned volume ${name}`
      this.#recorder.event(claim, 'Normal', 'ProvisioningSucceeded', success)
    } catch (error) {
      const text = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${messageOf(error)}`
      this.#recorder.event(claim, 'Warning', 'ProvisioningFailed', text)
      throw error
    }
  }

  #make(name: string, { metadata, spec }: PersistentVolumeClaim): Promise<string> {
    const { directories } = this.#options
    const called = `${name}_${metadata.namespace}_${metadata.name}`
    const size = Quantity.parse(spec.resources?.requests?.storage ?? '0').value()
    return spec.volumeMode === 'Block' ? directories.makeFile(called, size) : directories.make(called)
  }

  /** The volume controller says so (one before 1.23 under the older name only), and not for another node. */
  #isAsked({ metadata, spec }: PersistentVolumeClaim): boolean {
    const { [SELECTED_NODE]: node, ...annotations } = metadata.annotations ?? {}
    return (
      !spec.volumeName &&
      !metadata.deletionTimestamp &&
      (annotations[STORAGE_PROVISIONER] ?? annotations[BETA_STORAGE_PROVISIONER]) === LOCAL_PATH &&
      (node === undefined || node === this.#options.nodeName)
    )
  }

  async #create(volume: Draft<PersistentVolume>): Promise<void> {
    try {
      await this.#context.client.create(persistentVolumes, volume)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  async #delete(name: string): Promise<void> {
    const volume = this.#volumes.lister.find(name)
    const isOver =
      volume?.status.phase === 'Released' &&
      !volume.metadata.deletionTimestamp &&
      volume.spec.persistentVolumeReclaimPolicy === 'Delete' &&
      volume.metadata.annotations?.[PROVISIONED_BY] === LOCAL_PATH
    if (!isOver) return
    try {
      if (volume.spec.local) await this.#options.directories.remove(volume.spec.local.path)
    } catch (error) {
      this.#recorder.event(volume, 'Warning', 'VolumeFailedDelete', messageOf(error))
      throw error
    }
    try {
      await this.#context.client.delete(persistentVolumes, { name })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}
