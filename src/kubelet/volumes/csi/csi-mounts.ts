// Volumes with file systems: staged for the node, published for each Pod. Upstream: csi_attacher.go, csi_mounter.go.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { attachmentName, uniqueVolumeName } from '../../../api/volume/csi-names.ts'
import { giveToGroup } from '../give-to-group.ts'
import { VolumeFailure } from '../volume-failure.ts'
import type { RegisteredDriver } from './csi-drivers.ts'
import type { CsiJob, CsiParts } from './csi-parts.ts'
import { csiDir, isDriverDir, mountPath, podMountsDir, stagedDir, stagingPath } from './csi-paths.ts'
import { type CsiVolume, capabilityOf, isGroupGiven } from './csi-volume.ts'
import { forgetRefused, stageVolume, unstageVolume } from './stage-volume.ts'
import { podInfo, podTokens, secretTexts } from './volume-context.ts'
import {
  findVolumeData,
  namesIn,
  removeEmptyDir,
  removeVolumeData,
  saveVolumeData,
  type VolumeData,
} from './volume-data.ts'

export interface PublishedMount {
  path: string
  /** Where the driver stages it, if it does. */
  stagingPath?: string
}

/** A volume as its data file tells of it. */
export interface KnownVolume {
  unique: string
  driver: string
  handle: string
}

export class CsiMounts {
  readonly #parts: CsiParts
  /** Staged by this run, by unique name: after a restart the driver is asked again. */
  readonly #staged = new Set<string>()

  constructor(parts: CsiParts) {
    this.#parts = parts
  }

  /** Throws VolumeFailure. Publishing again what is published is how drivers with requiresRepublish renew it. */
  async setUp(job: CsiJob): Promise<PublishedMount> {
    const { volume, pod } = job
    const staging = volume.lifecycle === 'Persistent' ? await this.#stage(job) : undefined
    const dir = join(podMountsDir(this.#parts.facts, pod.metadata.uid), volume.name)
    try {
      return await this.#publish(job, dir, staging)
    } catch (error) {
      const { message } = error as Error
      throw new VolumeFailure(
        'FailedMount',
        `MountVolume.SetUp failed for volume "${volume.name}" : ${message}`,
      )
    }
  }

  async #stage(job: CsiJob): Promise<string | undefined> {
    const { volume } = job
    const { facts } = this.#parts
    const unique = uniqueVolumeName(volume.driver, volume.handle)
    const path = stagingPath(facts, volume.driver, volume.handle)
    try {
      const driver = this.#driver(volume, 'attacher.MountDevice failed to create newCsiDriverClient')
      const dir = stagedDir(facts, volume.driver, volume.handle)
      saveVolumeData(dir, { driverName: volume.driver, volumeHandle: volume.handle })
      try {
        if (!this.#staged.has(unique) && !(await stageVolume(job, path, driver, this.#parts)))
          return undefined
      } catch (error) {
        forgetRefused(error, path)
        throw error
      }
      this.#staged.add(unique)
      return path
    } catch (error) {
      const { message } = error as Error
      throw new VolumeFailure(
        'FailedMount',
        `MountVolume.MountDevice failed for volume "${volume.name}" : ${message}`,
      )
    }
  }

  #driver({ driver }: CsiVolume, step: string): RegisteredDriver {
    try {
      return this.#parts.drivers.get(driver)
    } catch (error) {
      throw new Error(`kubernetes.io/csi: ${step}: ${(error as Error).message}`)
    }
  }

  async #publish(job: CsiJob, dir: string, staging: string | undefined): Promise<PublishedMount> {
    const { volume, pod, driver: object, publishContext, now } = job
    const { facts, client, tokens } = this.#parts
    const driver = this.#driver(volume, 'mounter.SetUpAt failed to get CSI client')
    const path = mountPath(dir)
    const [abilities, secrets, ofPod] = await Promise.all([
      driver.client.abilities(),
      secretTexts(client, volume.secrets.publish, 'NodePublishSecretRef'),
      podTokens(pod, object, tokens, now),
    ])
    const isSecret = object?.spec.serviceAccountTokenInSecrets ?? false
    saveVolumeData(dir, dataOf(volume, facts.nodeName))
    const request = {
      volumeId: volume.handle,
      publishContext,
      ...(staging !== undefined && { stagingTargetPath: driver.pathSeen(staging) }),
      targetPath: driver.pathSeen(path),
      volumeCapability: capabilityOf(volume, abilities, pod.spec.securityContext?.fsGroup),
      readonly: volume.readOnly,
      secrets: { ...secrets, ...(isSecret && ofPod) },
      volumeContext: { ...volume.attributes, ...podInfo(pod, volume, object), ...(!isSecret && ofPod) },
    }
    try {
      await driver.client.publish(request)
    } catch (error) {
      if (!job.isAgain) forgetRefused(error, path)
      throw error
    }
    if (isGroupGiven(volume, object, abilities)) await giveToGroup(path, pod)
    return { path, ...(staging !== undefined && { stagingPath: staging }) }
  }

  /** What the Pod's folder tells of. */
  knownOf(uid: string): (KnownVolume & { dir: string; data: VolumeData })[] {
    const all = podMountsDir(this.#parts.facts, uid)
    return namesIn(all).flatMap(name => {
      const dir = join(all, name)
      const data = findVolumeData(dir)
      return data ? [{ ...knownVolume(data), dir, data }] : []
    })
  }

  /** What the driver's folders tell of: staged, or about to be. */
  staged(): KnownVolume[] {
    const all = csiDir(this.#parts.facts)
    return namesIn(all)
      .filter(isDriverDir)
      .flatMap(driver => namesIn(join(all, driver)).map(name => findVolumeData(join(all, driver, name))))
      .flatMap(data => (data ? [knownVolume(data)] : []))
  }

  /** Throws when the driver is not there or refuses: nothing of the volume is removed then. */
  async unpublish({ driver: name, handle }: KnownVolume, dir: string): Promise<void> {
    const { drivers, mounter } = this.#parts
    const driver = drivers.get(name)
    const path = mountPath(dir)
    await driver.client.unpublish(handle, driver.pathSeen(path))
    mounter.unmount(path)
    removeEmptyDir(path)
    removeVolumeData(dir)
  }

  async unstage({ driver: name, handle, unique }: KnownVolume): Promise<void> {
    const { drivers, facts } = this.#parts
    const dir = stagedDir(facts, name, handle)
    if (!existsSync(dir)) return
    this.#staged.delete(unique)
    await unstageVolume(handle, stagingPath(facts, name, handle), drivers.get(name), this.#parts)
    removeVolumeData(dir)
  }
}

export const knownVolume = ({ driverName, volumeHandle }: VolumeData): KnownVolume => ({
  unique: uniqueVolumeName(driverName, volumeHandle),
  driver: driverName,
  handle: volumeHandle,
})

export const dataOf = ({ driver, handle, lifecycle, name }: CsiVolume, nodeName: string): VolumeData => ({
  attachmentID: attachmentName(handle, driver, nodeName),
  driverName: driver,
  nodeName,
  specVolID: name,
  volumeHandle: handle,
  volumeLifecycleMode: lifecycle,
})
