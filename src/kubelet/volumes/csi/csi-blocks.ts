// Volumes that Pods get as devices. What the driver publishes for a Pod is linked from the Pod's folder, and from the
// volume's, where the last Pod to go is seen. Upstream: csi_block.go.
import { existsSync, mkdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { VolumeFailure } from '../volume-failure.ts'
import { dataOf, type KnownVolume, knownVolume } from './csi-mounts.ts'
import type { CsiJob, CsiParts } from './csi-parts.ts'
import { type BlockPaths, blockPaths, blocksDir, podDevicesDir } from './csi-paths.ts'
import { capabilityOf } from './csi-volume.ts'
import { forgetRefused, stageVolume, unstageVolume } from './stage-volume.ts'
import { secretTexts } from './volume-context.ts'
import { findVolumeData, namesIn, removeEmptyDir, removeVolumeData, saveVolumeData } from './volume-data.ts'

export interface PublishedBlock {
  /** A link to the device. */
  path: string
  publishPath: string
  stagingPath?: string
}

export class CsiBlocks {
  readonly #parts: CsiParts

  constructor(parts: CsiParts) {
    this.#parts = parts
  }

  /** Throws VolumeFailure. */
  async setUp(job: CsiJob): Promise<PublishedBlock> {
    const { volume, pod } = job
    const { facts } = this.#parts
    const paths = blockPaths(facts, volume.name, pod.metadata.uid)
    const failed = (step: string) => (error: unknown) => {
      const text = `MapVolume.${step} failed for volume "${volume.name}" : ${(error as Error).message}`
      throw new VolumeFailure('FailedMapVolume', text)
    }
    saveVolumeData(paths.data, dataOf(volume, facts.nodeName))
    const staging = await this.#stage(job, paths).catch(failed('SetUpDevice'))
    await this.#publish(job, paths, staging).catch(failed('MapPodDevice'))
    const map = podDevicesDir(facts, pod.metadata.uid)
    const isNew = link(join(paths.users, pod.metadata.uid), paths.publish)
    link(join(map, volume.name), paths.publish)
    if (isNew) this.#tell(job, paths.users, map)
    const stagingPath = staging !== undefined && { stagingPath: staging }
    return { path: join(map, volume.name), publishPath: paths.publish, ...stagingPath }
  }

  #tell({ pod, volume }: CsiJob, globalMap: string, podMap: string): void {
    for (const text of [`globalMapPath "${globalMap}"`, `volumeMapPath "${podMap}"`]) {
      const message = `MapVolume.MapPodDevice succeeded for volume "${volume.name}" ${text}`
      this.#parts.events.tell(pod, 'Normal', 'SuccessfulMountVolume', message)
    }
  }

  async #stage(job: CsiJob, { staging }: BlockPaths): Promise<string | undefined> {
    const driver = this.#driver(job)
    try {
      return (await stageVolume(job, staging, driver, this.#parts)) ? staging : undefined
    } catch (error) {
      forgetRefused(error, staging)
      throw error
    }
  }

  #driver({ volume }: CsiJob) {
    try {
      return this.#parts.drivers.get(volume.driver)
    } catch (error) {
      const why = (error as Error).message
      throw new Error(`kubernetes.io/csi: blockMapper.SetUpDevice failed to get CSI client: ${why}`)
    }
  }

  async #publish(job: CsiJob, { publish }: BlockPaths, staging: string | undefined): Promise<void> {
    const { volume, publishContext } = job
    const { client, pathSeen } = this.#driver(job)
    const secrets = await secretTexts(this.#parts.client, volume.secrets.publish, 'NodePublishSecretRef')
    mkdirSync(dirname(publish), { recursive: true, mode: 0o750 })
    await client.publish({
      volumeId: volume.handle,
      publishContext,
      ...(staging !== undefined && { stagingTargetPath: pathSeen(staging) }),
      targetPath: pathSeen(publish),
      volumeCapability: capabilityOf(volume, await client.abilities(), undefined),
      readonly: volume.readOnly,
      secrets,
      volumeContext: volume.attributes,
    })
  }

  /** What the Pod's folder tells of. */
  knownOf(uid: string): (KnownVolume & { name: string })[] {
    return namesIn(podDevicesDir(this.#parts.facts, uid)).flatMap(name => {
      const data = findVolumeData(blockPaths(this.#parts.facts, name, uid).data)
      return data ? [{ ...knownVolume(data), name }] : []
    })
  }

  /** Volumes that no Pod has a link to. */
  unused(): (KnownVolume & { name: string })[] {
    const { facts } = this.#parts
    return namesIn(blocksDir(facts)).flatMap(name => {
      const { data, users } = blockPaths(facts, name, '')
      const found = findVolumeData(data)
      return found && namesIn(users).length === 0 ? [{ ...knownVolume(found), name }] : []
    })
  }

  /** Throws when the driver is not there or refuses. */
  async unpublish({ driver: name, handle }: KnownVolume, volume: string, uid: string): Promise<void> {
    const { drivers, facts, mounter } = this.#parts
    const { publish, users } = blockPaths(facts, volume, uid)
    const driver = drivers.get(name)
    if (existsSync(publish)) await driver.client.unpublish(handle, driver.pathSeen(publish))
    mounter.unmount(publish)
    rmSync(publish, { force: true })
    rmSync(join(users, uid), { force: true })
    rmSync(join(podDevicesDir(facts, uid), volume), { force: true })
  }

  /** When no Pod has a link any more. */
  async unstage({ driver: name, handle }: KnownVolume, volume: string): Promise<void> {
    const { drivers, facts, mounter } = this.#parts
    const { publish, staging, data, users } = blockPaths(facts, volume, '')
    if (!existsSync(data) || namesIn(users).length > 0) return
    if (existsSync(staging)) await unstageVolume(handle, staging, drivers.get(name), { mounter })
    removeEmptyDir(publish)
    removeEmptyDir(users)
    removeVolumeData(data)
    removeEmptyDir(dirname(data))
  }
}

/** Answers whether it was not there before. */
function link(path: string, target: string): boolean {
  try {
    if (readlinkSync(path) === target) return false
    rmSync(path)
  } catch {
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
  }
  symlinkSync(target, path)
  return true
}
