// Local volumes that containers mount: directories of the node, and file systems on its devices, which are made when
// there is none yet. Upstream: pkg/volume/local, mount-utils SafeFormatAndMount.
import { execFile } from 'node:child_process'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PersistentVolume, Pod } from '../../api/types/core-v1.ts'
import { podsDir, volumePath } from '../pod-paths.ts'
import { giveToGroup } from './give-to-group.ts'
import { isMounted } from './is-mounted.ts'
import { mountsUnder } from './remove-mounts.ts'
import { VolumeFailure } from './volume-failure.ts'
import type { ReadyVolume, VolumeParts } from './volume-plugin.ts'

const run = promisify(execFile)
const PLUGIN = 'local-volume'
const DEFAULT_TYPE = 'ext4'

const globalMount = (rootDir: string, volume: string) =>
  join(rootDir, 'plugins', 'kubernetes.io', PLUGIN, 'mounts', volume)

export async function setUpLocalVolume(
  volume: PersistentVolume,
  pod: Pod,
  parts: VolumeParts,
): Promise<ReadyVolume> {
  const { path } = volume.spec.local!
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new Error(`path "${path}" does not exist`)
  if (!found.isDirectory() && !found.isBlockDevice())
    throw new Error('only directory and block device are supported')
  const hostPath = found.isDirectory() ? path : await mountDevice(volume, pod, parts)
  await giveToGroup(hostPath, pod)
  return { hostPath }
}

/** Once for the node; each Pod sees that mount at a path of its own. */
async function mountDevice(
  { metadata: { name }, spec }: PersistentVolume,
  pod: Pod,
  { facts, mounter }: VolumeParts,
): Promise<string> {
  const { path, fsType } = spec.local!
  const global = globalMount(facts.rootDir, name)
  const own = volumePath(facts, pod.metadata.uid, PLUGIN, name)
  try {
    await mkdir(global, { recursive: true, mode: 0o750 })
    if (!isMounted(global)) mounter.device(path, global, await formatted(path, fsType))
  } catch (error) {
    const text = `MountVolume.MountDevice failed for volume "${name}" : ${(error as Error).message}`
    throw new VolumeFailure('FailedMount', text)
  }
  await mkdir(own, { recursive: true, mode: 0o750 })
  if (!isMounted(own)) mounter.bind(global, own)
  return own
}

/** The type of the file system on the device; one is made where there is nothing at all. */
async function formatted(device: string, wanted: string | undefined): Promise<string> {
  const found = await contentOf(device)
  if (found.TYPE) return wanted ?? found.TYPE
  if (found.PTTYPE)
    throw new Error(
      `failed to mount the volume as "${wanted ?? DEFAULT_TYPE}", it already contains unknown data, probably partitions`,
    )
  const type = wanted ?? DEFAULT_TYPE
  const options = /^ext[34]$/.test(type) ? ['-F', '-m0'] : type === 'xfs' ? ['-f'] : []
  await run(`mkfs.${type}`, [...options, device])
  return type
}

/** blkid's exit code 2 means that it knows nothing that is there. */
async function contentOf(device: string): Promise<Record<string, string>> {
  try {
    const { stdout } = await run('blkid', ['-p', '-s', 'TYPE', '-s', 'PTTYPE', '-o', 'export', device])
    return Object.fromEntries(stdout.split('\n').map(line => line.split('=') as [string, string]))
  } catch (error) {
    if ((error as { code?: unknown }).code === 2) return {}
    throw error
  }
}

/** The volumes whose file systems the Pod had mounted, of all that was mounted below its directory. */
export function localVolumesOf(podDirectory: string, targets: readonly string[]): string[] {
  const dir = `${join(podDirectory, 'volumes', `kubernetes.io~${PLUGIN}`)}/`
  return targets.filter(target => target.startsWith(dir)).map(target => target.slice(dir.length))
}

/** Unmounts those that no Pod has mounted any more. */
export function unmountUnused(volumes: readonly string[], { facts, mounter }: VolumeParts): void {
  if (volumes.length === 0) return
  const mounts = mountsUnder(podsDir(facts))
  for (const volume of volumes) {
    const isUsed = mounts.some(target => target.endsWith(`/kubernetes.io~${PLUGIN}/${volume}`))
    if (!isUsed) mounter.unmount(globalMount(facts.rootDir, volume))
  }
}
