// The step that a node takes once for a volume, however many Pods use it. Upstream: csi_attacher.go MountDevice,
// UnmountDevice; csi_block.go stageVolumeForBlock.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { CsiError } from './csi-client.ts'
import type { RegisteredDriver } from './csi-drivers.ts'
import type { CsiJob, CsiParts } from './csi-parts.ts'
import { capabilityOf } from './csi-volume.ts'
import { secretTexts } from './volume-context.ts'
import { removeEmptyDir, removeVolumeData } from './volume-data.ts'

type Parts = Pick<CsiParts, 'client'>

/** Asks the driver, if it has this step. Answers whether it has. */
export async function stageVolume(
  { volume, pod, publishContext }: CsiJob,
  path: string,
  { client: csi, pathSeen }: RegisteredDriver,
  { client }: Parts,
): Promise<boolean> {
  const abilities = await csi.abilities()
  if (!abilities.has('STAGE_UNSTAGE_VOLUME')) return false
  mkdirSync(path, { recursive: true, mode: 0o750 })
  await csi.stage({
    volumeId: volume.handle,
    publishContext,
    stagingTargetPath: pathSeen(path),
    volumeCapability: capabilityOf(volume, abilities, pod.spec.securityContext?.fsGroup),
    secrets: await secretTexts(client, volume.secrets.stage, 'NodeStageSecretRef'),
    volumeContext: volume.attributes,
  })
  return true
}

/** The folder is gone afterwards; what a driver leaves mounted there is unmounted. */
export async function unstageVolume(
  handle: string,
  path: string,
  { client: csi, pathSeen }: RegisteredDriver,
  { mounter }: Pick<CsiParts, 'mounter'>,
): Promise<void> {
  if ((await csi.abilities()).has('STAGE_UNSTAGE_VOLUME')) await csi.unstage(handle, pathSeen(path))
  mounter.unmount(path)
  removeEmptyDir(path)
}

/** The driver has refused for good: what was made for it goes, unless there is something in it after all. */
export function forgetRefused(error: unknown, path: string): void {
  if ((error as Partial<CsiError>).isFinal === false) return
  try {
    removeEmptyDir(path)
    removeVolumeData(dirname(path))
  } catch {
    // Something is mounted there: the end of the Pod takes it away.
  }
}
