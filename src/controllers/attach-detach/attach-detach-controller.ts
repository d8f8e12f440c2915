// Has the volumes of CSI drivers attached to the nodes of the Pods that use them: makes and deletes VolumeAttachments,
// which the drivers' attachers fulfil, and tells the nodes. What to do is decided in decide-attachments.ts.
// Upstream: pkg/controller/volume/attachdetach.
import type { Draft } from '../../api/kube-object.ts'
import {
  csiDrivers,
  nodes as nodeResource,
  persistentVolumeClaims,
  persistentVolumes,
  pods as podResource,
  volumeAttachments,
} from '../../api/resources.ts'
import { isAlreadyExists, isNotFound } from '../../api/status-error.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/types/core-v1.ts'
import type { CSIDriver, VolumeAttachment } from '../../api/types/storage-v1.ts'
import { attachmentName, uniqueVolumeName } from '../../api/volume/csi-names.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { byClaim, claimKeysOf } from '../persistent-volume/claims-of-pods.ts'
import { AttachMemory } from './attach-memory.ts'
import { reportAttached } from './attached-report.ts'
import {
  type AttachmentAction,
  decideAttachments,
  isOwn,
  type ObservedVolume,
  takenText,
} from './decide-attachments.ts'
import { areBound, volumeUsers } from './volume-users.ts'

const VOLUME = 'volume:'
const NODE = 'node:'

export class AttachDetachController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #recorder: EventRecorder
  readonly #memory = new AttachMemory()
  readonly #pods: Informer<Pod>
  readonly #claims: Informer<PersistentVolumeClaim>
  readonly #volumes: Informer<PersistentVolume>
  readonly #nodes: Informer<Node>
  readonly #drivers: Informer<CSIDriver>
  readonly #attachments: Informer<VolumeAttachment>

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    const parts = { client, clock, log }
    this.#context = context
    this.#queue = new WorkQueue({ clock })
    this.#recorder = new EventRecorder({ ...parts, component: 'attachdetach-controller' })
    const podIndexers = { ...byClaim, node: ({ spec }: Pod) => (spec.nodeName ? [spec.nodeName] : []) }
    this.#pods = new Informer({ ...parts, resource: podResource, indexers: podIndexers })
    this.#claims = new Informer({ ...parts, resource: persistentVolumeClaims })
    this.#volumes = new Informer({ ...parts, resource: persistentVolumes })
    this.#nodes = new Informer({ ...parts, resource: nodeResource })
    this.#drivers = new Informer({ ...parts, resource: csiDrivers })
    const indexers = {
      volume: ({ spec }: VolumeAttachment) => [spec.source.persistentVolumeName ?? ''],
      node: ({ spec }: VolumeAttachment) => [spec.nodeName],
    }
    this.#attachments = new Informer({ ...parts, resource: volumeAttachments, indexers })
    this.#listen()
  }

  /** Resolves when the signal aborts. One thing after the other: what a Node's status tells has one author. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#pods, this.#claims, this.#volumes, this.#nodes, this.#drivers, this.#attachments]
    const reconcile = (key: string) => this.#reconcile(key)
    await runController({ informers, queue: this.#queue, reconcile, signal, log: this.#context.log })
  }

  // What is looked at when

  #listen(): void {
    const add = (name: string | undefined) => name && this.#queue.add(VOLUME + name)
    const podSeen = (pod: Pod) => {
      if (!pod.spec.nodeName) return
      for (const key of claimKeysOf(pod)) add(this.#claims.lister.findByKey(key)?.spec.volumeName)
    }
    const claimSeen = ({ spec }: PersistentVolumeClaim) => add(spec.volumeName)
    const volumeSeen = ({ metadata, spec }: PersistentVolume) => spec.csi && add(metadata.name)
    this.#pods.addHandler({ add: podSeen, update: (_, pod) => podSeen(pod), delete: podSeen })
    this.#claims.addHandler({ add: claimSeen, update: (_, claim) => claimSeen(claim), delete: claimSeen })
    this.#volumes.addHandler({ add: volumeSeen, update: (_, one) => volumeSeen(one), delete: volumeSeen })
    const driverSeen = ({ metadata }: CSIDriver) => {
      for (const volume of this.#volumes.lister.list())
        if (volume.spec.csi?.driver === metadata.name) add(volume.metadata.name)
    }
    this.#drivers.addHandler({ add: driverSeen, update: (_, one) => driverSeen(one), delete: driverSeen })
    this.#listenToNodes(podSeen)
    this.#listenToAttachments()
  }

  #listenToNodes(podSeen: (pod: Pod) => void): void {
    const seen = (node: Node) => {
      this.#memory.nodeSeen(node)
      this.#addNode(node)
    }
    this.#nodes.addHandler({
      add: node => {
        seen(node)
        for (const pod of this.#pods.lister.byIndex('node', node.metadata.name)) podSeen(pod)
      },
      update: (old, node) => {
        if (mattersHere(old) !== mattersHere(node)) seen(node)
      },
      delete: node => this.#addNode(node),
    })
  }

  #addNode({ metadata: { name } }: Node): void {
    const there = this.#attachments.lister.byIndex('node', name)
    for (const { spec } of there) this.#queue.add(VOLUME + spec.source.persistentVolumeName)
    if (there.length > 0) this.#queue.add(NODE + name)
  }

  #listenToAttachments(): void {
    const add = ({ spec }: VolumeAttachment) => {
      if (!spec.source.persistentVolumeName) return
      this.#queue.add(NODE + spec.nodeName)
      this.#queue.add(VOLUME + spec.source.persistentVolumeName)
    }
    this.#attachments.addHandler({
      add,
      update: (_, attachment) => add(attachment),
      delete: attachment => {
        this.#memory.gone(attachment)
        add(attachment)
      },
    })
  }

  // What is done

  #reconcile(key: string): Promise<Requeue | undefined> {
    return key.startsWith(NODE)
      ? this.#report(key.slice(NODE.length))
      : this.#settle(key.slice(VOLUME.length))
  }

  async #report(nodeName: string): Promise<undefined> {
    const known = this.#nodes.lister.find(nodeName)
    if (known) await reportAttached(this.#context.client, nodeName, this.#attachedTo(nodeName), known)
    for (const attachment of this.#attachments.lister.byIndex('node', nodeName)) this.#tellOutcome(attachment)
  }

  #attachedTo(nodeName: string): string[] {
    return this.#attachments.lister.byIndex('node', nodeName).flatMap(attachment => {
      const csi = this.#volumeOf(attachment)?.spec.csi
      return csi && this.#memory.isAttached(attachment)
        ? [uniqueVolumeName(csi.driver, csi.volumeHandle)]
        : []
    })
  }

  #volumeOf({ spec }: VolumeAttachment): PersistentVolume | undefined {
    return this.#volumes.lister.find(spec.source.persistentVolumeName ?? '')
  }

  async #settle(name: string): Promise<Requeue | undefined> {
    const observed = this.#observe(name)
    const { clock } = this.#context
    this.#remember(observed, clock.now())
    const actions = decideAttachments(observed, clock.now())
    const later: number[] = []
    for (const action of actions) {
      if (action.do === 'checkAgain') later.push(action.at - clock.now())
      else if (!(await this.#carryOut(action, name, observed))) later.push(1_000)
    }
    return later.length > 0 ? { requeueAfterMs: Math.min(...later) } : undefined
  }

  #observe(name: string): ObservedVolume {
    const volume = this.#volumes.lister.find(name)
    const csi = volume?.spec.csi
    const findNode = (node: string) => this.#nodes.lister.find(node)
    const { unneededSince, waitingSince } = this.#memory
    return {
      volume,
      attachments: this.#attachments.lister.byIndex('volume', name),
      isAttachable: this.#drivers.lister.find(csi?.driver ?? '')?.spec.attachRequired ?? true,
      users: volumeUsers(volume ? this.#podsOf(volume) : [], findNode),
      findNode,
      isInUse: node => !!csi && this.#memory.isInUse(node, uniqueVolumeName(csi.driver, csi.volumeHandle)),
      unneededSince,
      waitingSince,
    }
  }

  #podsOf(volume: PersistentVolume): Pod[] {
    const { claimRef } = volume.spec
    const key = `${claimRef?.namespace}/${claimRef?.name}`
    const claim = claimRef && this.#claims.lister.findByKey(key)
    return claim && areBound(claim, volume) ? this.#pods.lister.byIndex('claim', keyOf(claim)) : []
  }

  /** Since when what is not needed or waited for, and who is not in anybody's way any more. */
  #remember({ attachments, users, volume, isAttachable }: ObservedVolume, now: number): void {
    const { unneededSince, waitingSince, told } = this.#memory
    for (const { metadata, spec, status } of attachments) {
      const isNeeded = isAttachable && users.has(spec.nodeName)
      if (isNeeded) unneededSince.delete(metadata.name)
      else if (!unneededSince.has(metadata.name)) unneededSince.set(metadata.name, now)
      if (!isNeeded) waitingSince.delete(metadata.name)
      else if (!status?.attached && !waitingSince.has(metadata.name)) waitingSince.set(metadata.name, now)
    }
    const name = volume?.metadata.name ?? ''
    for (const key of told) {
      const [toldOf, node = ''] = key.split(' ')
      if (toldOf === name && !users.has(node)) told.delete(key)
    }
  }

  /** Answers false when it has to be tried again soon. */
  async #carryOut(
    action: Exclude<AttachmentAction, { do: 'checkAgain' }>,
    name: string,
    observed: ObservedVolume,
  ): Promise<boolean> {
    switch (action.do) {
      case 'attach':
        await this.#attach(observed.volume!, action.nodeName)
        return true
      case 'detach':
        return this.#detach(action.attachment, action.forced, observed.volume)
      case 'tellTaken':
        this.#tellTaken(name, action.nodeName, observed, action.by)
        return true
      case 'tellTimeout':
        this.#tellTimeout(action.attachment, observed)
        return true
    }
  }

  async #attach({ metadata, spec }: PersistentVolume, nodeName: string): Promise<void> {
    const { client, clock } = this.#context
    const { driver, volumeHandle } = spec.csi!
    const name = attachmentName(volumeHandle, driver, nodeName)
    const draft = {
      metadata: { name },
      spec: { attacher: driver, nodeName, source: { persistentVolumeName: metadata.name } },
    }
    this.#memory.waitingSince.set(name, clock.now())
    this.#memory.told.delete(`${metadata.name} ${nodeName}`)
    try {
      await client.create(volumeAttachments, draft as Draft<VolumeAttachment>)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }

  /** The node is told first, and may then say that it has just begun to use the volume: then it keeps it. */
  async #detach(
    attachment: VolumeAttachment,
    forced: boolean,
    volume: PersistentVolume | undefined,
  ): Promise<boolean> {
    const { client, log } = this.#context
    const { nodeName } = attachment.spec
    const csi = volume?.spec.csi
    const unique = csi && uniqueVolumeName(csi.driver, csi.volumeHandle)
    const others = this.#attachedTo(nodeName).filter(name => name !== unique)
    const node = await reportAttached(client, nodeName, others, undefined)
    if (!forced && unique && node?.status.volumesInUse?.includes(unique)) {
      this.#memory.nodeSeen(node)
      this.#queue.add(NODE + nodeName)
      return false
    }
    if (forced)
      log.info({ attachment: attachment.metadata.name, node: nodeName }, 'a volume is detached by force')
    this.#memory.deleted(attachment)
    const { name, uid } = attachment.metadata
    try {
      await client.delete(volumeAttachments, { name }, { preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    return true
  }

  // What Pods are told

  #tellTaken(volume: string, nodeName: string, { users }: ObservedVolume, by: readonly Pod[]): void {
    const key = `${volume} ${nodeName}`
    if (this.#memory.told.has(key)) return
    this.#memory.told.add(key)
    for (const pod of users.get(nodeName) ?? [])
      this.#recorder.event(pod, 'Warning', 'FailedAttachVolume', takenText(volume, pod, by))
  }

  #tellTimeout({ metadata, spec, status }: VolumeAttachment, { users, volume }: ObservedVolume): void {
    this.#memory.waitingSince.set(metadata.name, this.#context.clock.now())
    // The attacher's own words were told when they were seen.
    if (status?.attachError) return
    const { name } = volume!.metadata
    const why = `timed out waiting for external-attacher of ${spec.attacher} CSI driver to attach volume ${volume!.spec.csi!.volumeHandle}`
    for (const pod of users.get(spec.nodeName) ?? []) this.#failed(pod, name, why)
  }

  #failed(pod: Pod, volume: string, why: string): void {
    const message = `AttachVolume.Attach failed for volume "${volume}" : ${why}`
    this.#recorder.event(pod, 'Warning', 'FailedAttachVolume', message)
  }

  /** An attachment that was waited for has come, or has failed in a way that was not told yet. */
  #tellOutcome(attachment: VolumeAttachment): void {
    const { metadata, spec, status } = attachment
    const volume = this.#volumeOf(attachment)
    const { waitingSince, errors } = this.#memory
    if (!volume || !isOwn(attachment, volume) || !waitingSince.has(metadata.name)) return
    const pods = this.#observe(volume.metadata.name).users.get(spec.nodeName) ?? []
    const error = status?.attachError?.message ?? ''
    if (status?.attached) {
      waitingSince.delete(metadata.name)
      errors.delete(metadata.name)
      // The blank at its end is upstream's.
      const message = `AttachVolume.Attach succeeded for volume "${volume.metadata.name}" `
      for (const pod of pods) this.#recorder.event(pod, 'Normal', 'SuccessfulAttachVolume', message)
    } else if (error && errors.get(metadata.name) !== error) {
      errors.set(metadata.name, error)
      for (const pod of pods) this.#failed(pod, volume.metadata.name, error)
    }
  }
}

/** Of a Node, what may change what is decided. */
const mattersHere = ({ metadata, spec, status }: Node): string =>
  JSON.stringify([
    metadata.annotations?.['volumes.kubernetes.io/controller-managed-attach-detach'],
    spec.taints,
    status.volumesInUse,
    status.volumesAttached,
    status.conditions?.find(({ type }) => type === 'Ready')?.status,
  ])
