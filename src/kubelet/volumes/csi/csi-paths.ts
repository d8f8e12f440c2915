// Where the volumes of CSI drivers are below the kubelet's folder. Upstream: pkg/volume/csi makeDeviceMountPath,
// getTargetPath, GetGlobalMapPath and those beside it.
import { join } from 'node:path'
import { sha256 } from '../../../api/volume/csi-names.ts'
import type { NodeFacts } from '../../node-facts.ts'
import { podDir } from '../../pod-paths.ts'

type Dirs = Pick<NodeFacts, 'rootDir'>

const PLUGIN = 'kubernetes.io~csi'

export const DATA_FILE = 'vol_data.json'

/** A folder per driver, and one for all block volumes. */
export const csiDir = ({ rootDir }: Dirs): string => join(rootDir, 'plugins', 'kubernetes.io', 'csi')

const BLOCKS = 'volumeDevices'

export const blocksDir = (dirs: Dirs): string => join(csiDir(dirs), BLOCKS)

/** A volume that is staged, with its data file. */
export const stagedDir = (dirs: Dirs, driver: string, handle: string): string =>
  join(csiDir(dirs), driver, sha256(handle))

export const stagingPath = (dirs: Dirs, driver: string, handle: string): string =>
  join(stagedDir(dirs, driver, handle), 'globalmount')

/** A Pod's volumes with file systems, a folder each. */
export const podMountsDir = (dirs: Dirs, uid: string): string => join(podDir(dirs, uid), 'volumes', PLUGIN)

/** Below the volume's folder in podMountsDir. */
export const mountPath = (volumeDir: string): string => join(volumeDir, 'mount')

/** A Pod's block volumes, a link each. */
export const podDevicesDir = (dirs: Dirs, uid: string): string =>
  join(podDir(dirs, uid), 'volumeDevices', PLUGIN)

export interface BlockPaths {
  staging: string
  /** What the driver puts there is the device. */
  publish: string
  data: string
  /** A link for each Pod that uses the volume. */
  users: string
}

export function blockPaths(dirs: Dirs, volume: string, uid: string): BlockPaths {
  const all = blocksDir(dirs)
  return {
    staging: join(all, 'staging', volume),
    publish: join(all, 'publish', volume, uid),
    data: join(all, volume, 'data'),
    users: join(all, volume, 'dev'),
  }
}

export const isDriverDir = (name: string): boolean => name !== BLOCKS
