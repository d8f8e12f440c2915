// Volumes that containers get as devices: links to the device in the Pod's directory and, for all Pods that use it, in
// the plugin's, so that the last one to go is known after a restart too. Upstream: MapBlockVolume, pkg/volume/local.
import { mkdirSync, readdirSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PersistentVolume, Pod } from '../../api/types/core-v1.ts'
import type { NodeFacts } from '../node-facts.ts'
import { podDir } from '../pod-paths.ts'
import type { BlockDevices } from './block-devices.ts'
import { VolumeFailure } from './volume-failure.ts'
import type { ReadyVolume, VolumeParts } from './volume-plugin.ts'

const PLUGIN = 'kubernetes.io~local-volume'

type Dirs = Pick<NodeFacts, 'rootDir'>

const globalDir = ({ rootDir }: Dirs) => join(rootDir, 'plugins', PLUGIN, 'volumeDevices')
const podMapDir = (dirs: Dirs, uid: string) => join(podDir(dirs, uid), 'volumeDevices', PLUGIN)

/** Throws VolumeFailure with the words of the event. */
export async function mapBlockVolume(
  { metadata: { name }, spec }: PersistentVolume,
  pod: Pod,
  { facts, devices, events }: VolumeParts,
): Promise<ReadyVolume> {
  const failed = (step: string, why: string) =>
    new VolumeFailure('FailedMapVolume', `MapVolume.${step} failed for volume "${name}" : ${why}`)
  if (!spec.local) throw failed('FindMapperPluginBySpec', 'no block volume plugin matched')
  const { path } = spec.local
  const found = await stat(path).catch(() => undefined)
  if (!found) throw failed('MapBlockVolume', `path "${path}" does not exist`)
  if (!found.isBlockDevice() && !found.isFile())
    throw failed('MapBlockVolume', `path "${path}" is not a block device`)
  const [global, map] = [join(globalDir(facts), name), podMapDir(facts, pod.metadata.uid)]
  let isNew = false
  try {
    // Nothing is awaited from here on: no other Pod's end comes between the device and the link that keeps it.
    const device = found.isFile() ? devices.attach(name, path) : path
    isNew = link(join(global, pod.metadata.uid), device)
    link(join(map, name), device)
  } catch (error) {
    throw failed('MapBlockVolume', (error as Error).message)
  }
  if (isNew) {
    const tell = (text: string) =>
      events.tell(
        pod,
        'Normal',
        'SuccessfulMountVolume',
        `MapVolume.MapPodDevice succeeded for volume "${name}" ${text}`,
      )
    tell(`globalMapPath "${global}"`)
    tell(`volumeMapPath "${map}"`)
  }
  return { hostPath: join(map, name), isDevice: true }
}

/** Takes the Pod's links away, and every device that was attached for Pods which are all gone now. */
export function unmapBlockVolumes(
  uid: string,
  { facts, devices }: { facts: Dirs; devices: BlockDevices },
): void {
  const root = globalDir(facts)
  for (const volume of namesIn(root)) {
    const dir = join(root, volume)
    const device = targetOf(join(dir, uid))
    if (device === undefined) continue
    rmSync(join(dir, uid))
    if (namesIn(dir).length > 0) continue
    devices.detach(device)
    rmdirSync(dir)
  }
}

/** Answers whether the link was not there before. One that points elsewhere is from before the machine was started anew. */
function link(path: string, target: string): boolean {
  const before = targetOf(path)
  if (before === target) return false
  mkdirSync(join(path, '..'), { recursive: true, mode: 0o750 })
  rmSync(path, { force: true })
  symlinkSync(target, path)
  return before === undefined
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return []
  }
}
