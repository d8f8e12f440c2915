// The volumes of CSI drivers on this node: attached by others, then staged and published by their driver, and the other
// way round when their Pods end. What is where is on the disk, so that a restart forgets nothing.
// Upstream: pkg/volume/csi, kubelet/volumemanager.
import { csiDrivers } from '../../../api/resources.ts'
import { isNotFound } from '../../../api/status-error.ts'
import type { Node, Pod } from '../../../api/types/core-v1.ts'
import type { CSIDriver } from '../../../api/types/storage-v1.ts'
import { attachmentName, uniqueVolumeName } from '../../../api/volume/csi-names.ts'
import { podsDir } from '../../pod-paths.ts'
import { VolumeAwaited, VolumeFailure } from '../volume-failure.ts'
import type { Texts, VolumeUsage } from './csi-api.ts'
import { CsiBlocks } from './csi-blocks.ts'
import { CsiMounts, type KnownVolume } from './csi-mounts.ts'
import { type CsiJob, type CsiParts, findAttachment } from './csi-parts.ts'
import { type CsiVolume, capabilityOf, isAttachable, lifecycleProblem } from './csi-volume.ts'
import { secretTexts } from './volume-context.ts'
import { namesIn } from './volume-data.ts'
import { VolumeLocks } from './volume-locks.ts'
import { VolumesInUse } from './volumes-in-use.ts'

/** Drivers that want it publish again that often. */
const REPUBLISH_MS = 60_000

export interface ReadyCsiVolume {
  hostPath: string
  isDevice?: boolean
  refreshAt?: number
}

interface Published {
  volume: CsiVolume
  pod: Pod
  /** What the driver calls the volume's path. */
  path: string
  stagingPath?: string
}

export class CsiVolumes {
  readonly #parts: CsiParts
  readonly #mounts: CsiMounts
  readonly #blocks: CsiBlocks
  readonly #locks = new VolumeLocks()
  readonly #inUse = new VolumesInUse()
  /** By the Pod's uid and the volume's name. */
  readonly #published = new Map<string, Published>()

  constructor(parts: CsiParts) {
    this.#parts = parts
    this.#mounts = new CsiMounts(parts)
    this.#blocks = new CsiBlocks(parts)
    this.#recover()
  }

  /** Unique names of volumes that must not be detached, for the node's status. */
  inUse(): string[] {
    return this.#inUse.all()
  }

  /** Throws VolumeAwaited as long as the volume is not attached, VolumeFailure when the driver cannot do it. */
  async setUp(pod: Pod, volume: CsiVolume, now: number): Promise<ReadyCsiVolume> {
    const driver = await this.#driverObject(volume.driver)
    const problem = lifecycleProblem(volume, driver)
    if (problem) {
      const text = `MountVolume.NewMounter initialization failed for volume "${volume.name}" : ${problem}`
      throw new VolumeFailure('FailedMount', text)
    }
    const publishContext = isAttachable(volume, driver) ? await this.#attached(volume, pod) : {}
    const job = { volume, pod, driver, publishContext, now }
    const key = keyOf(pod.metadata.uid, volume.name)
    const isAgain = this.#published.has(key)
    return this.#locks.run(uniqueOf(volume), () => this.#setUp({ ...job, isAgain }, key))
  }

  async #setUp(job: CsiJob, key: string): Promise<ReadyCsiVolume> {
    const { volume, pod, driver, now } = job
    if (volume.lifecycle === 'Persistent') this.#inUse.add(uniqueOf(volume), pod.metadata.uid)
    if (volume.isBlock) {
      const { path: hostPath, publishPath: path, ...staging } = await this.#blocks.setUp(job)
      this.#published.set(key, { volume, pod, path, ...staging })
      return { hostPath, isDevice: true }
    }
    const made = await this.#mounts.setUp(job)
    this.#published.set(key, { volume, pod, ...made })
    const isRepublished = driver?.spec.requiresRepublish === true
    return { hostPath: made.path, ...(isRepublished && { refreshAt: now + REPUBLISH_MS }) }
  }

  async #driverObject(name: string): Promise<CSIDriver | undefined> {
    try {
      return await this.#parts.client.get(csiDrivers, { name })
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /**
   * What the attacher left for the node. First the node tells that it uses the volume, then it looks: whoever detaches
   * does it the other way round, so one of them sees the other.
   */
  async #attached({ driver, handle }: CsiVolume, { metadata }: Pod): Promise<Texts> {
    const { reportNode, client, facts } = this.#parts
    const unique = uniqueVolumeName(driver, handle)
    this.#inUse.add(unique, metadata.uid)
    // As it is now: an informer may be behind.
    if (isAttached(await reportNode(), unique)) {
      const attachment = await findAttachment(client, attachmentName(handle, driver, facts.nodeName))
      if (attachment?.status?.attached && !attachment.metadata.deletionTimestamp)
        return attachment.status.attachmentMetadata ?? {}
    }
    throw new VolumeAwaited(`volume ${unique} is not attached yet`)
  }

  /** For drivers that want their volumes published again and again: tokens run out. */
  async renew(pod: Pod, volume: CsiVolume, now: number): Promise<void> {
    const driver = await this.#driverObject(volume.driver)
    if (driver?.spec.requiresRepublish && !volume.isBlock) await this.setUp(pod, volume, now)
  }

  /** Takes down what the Pod had. Throws when something of it is still there: to be tried again. */
  async tearDown(uid: string): Promise<void> {
    const mounts = this.#mounts.knownOf(uid)
    const blocks = this.#blocks.knownOf(uid)
    const used = new Set([...this.#inUse.of(uid), ...[...mounts, ...blocks].map(({ unique }) => unique)])
    if (used.size === 0) return
    for (const known of mounts) {
      await this.#locks.run(known.unique, () => this.#mounts.unpublish(known, known.dir))
    }
    for (const known of blocks) {
      await this.#locks.run(known.unique, () => this.#blocks.unpublish(known, known.name, uid))
    }
    for (const key of this.#published.keys()) if (key.startsWith(`${uid} `)) this.#published.delete(key)
    const staged = this.#mounts.staged().filter(({ unique }) => used.has(unique))
    for (const known of staged) await this.#letGo(known, uid, () => this.#mounts.unstage(known))
    for (const known of blocks) await this.#letGo(known, uid, () => this.#blocks.unstage(known, known.name))
    for (const unique of used) this.#inUse.release(unique, uid)
    // The controller waits for this word.
    await this.#parts.reportNode()
  }

  /** With the last user goes what was staged. */
  #letGo({ unique }: KnownVolume, uid: string, unstage: () => Promise<void>): Promise<void> {
    return this.#locks.run(unique, async () => {
      if (!this.#inUse.isUsedByOthers(unique, uid)) await unstage()
      this.#inUse.release(unique, uid)
    })
  }

  /** A driver is there (again): what earlier Pods left staged goes. */
  async clearLeftovers(driver: string): Promise<void> {
    const isLeft = (known: KnownVolume) =>
      known.driver === driver && !this.#inUse.isUsedByOthers(known.unique, '')
    const mounts = this.#mounts.staged().filter(isLeft)
    const blocks = this.#blocks.unused().filter(isLeft)
    for (const known of mounts) await this.#letGo(known, '', () => this.#mounts.unstage(known))
    for (const known of blocks) await this.#letGo(known, '', () => this.#blocks.unstage(known, known.name))
    if (mounts.length + blocks.length > 0) await this.#parts.reportNode()
  }

  /** The volume has grown; its file system has to follow. Drivers that have nothing to do for that are not asked. */
  async expand(pod: Pod, volume: CsiVolume, requiredBytes: number): Promise<void> {
    const found = this.#published.get(keyOf(pod.metadata.uid, volume.name))
    if (!found) return
    const { client, pathSeen } = this.#parts.drivers.get(volume.driver)
    const abilities = await client.abilities()
    if (!abilities.has('EXPAND_VOLUME')) return
    await client.expand({
      volumeId: volume.handle,
      volumePath: pathSeen(found.path),
      capacityRange: { requiredBytes },
      ...(found.stagingPath !== undefined && { stagingTargetPath: pathSeen(found.stagingPath) }),
      volumeCapability: capabilityOf(volume, abilities, pod.spec.securityContext?.fsGroup),
      secrets: await secretTexts(this.#parts.client, volume.secrets.expand, 'NodeExpandSecretRef'),
    })
  }

  /** What the driver says of the volume at the path; undefined when it is not one of ours, or the driver cannot tell. */
  async stats(uid: string, hostPath: string): Promise<VolumeUsage[] | undefined> {
    const found = [...this.#published].find(
      ([key, { path }]) => key.startsWith(`${uid} `) && path === hostPath,
    )
    if (!found) return undefined
    const [, { volume, path, stagingPath }] = found
    const { client, pathSeen } = this.#parts.drivers.get(volume.driver)
    if (!(await client.abilities()).has('GET_VOLUME_STATS')) return undefined
    return client.stats(volume.handle, pathSeen(path), stagingPath && pathSeen(stagingPath))
  }

  /** What earlier runs had. */
  #recover(): void {
    for (const { unique } of this.#mounts.staged()) this.#inUse.add(unique)
    for (const uid of namesIn(podsDir(this.#parts.facts))) {
      for (const { unique, data } of this.#mounts.knownOf(uid))
        if (data.volumeLifecycleMode !== 'Ephemeral') this.#inUse.add(unique, uid)
      for (const { unique } of this.#blocks.knownOf(uid)) this.#inUse.add(unique, uid)
    }
  }
}

const keyOf = (uid: string, volume: string) => `${uid} ${volume}`
const uniqueOf = ({ driver, handle }: CsiVolume) => uniqueVolumeName(driver, handle)

const isAttached = (node: Node | undefined, unique: string): boolean =>
  node?.status.volumesAttached?.some(({ name }) => name === unique) ?? false
