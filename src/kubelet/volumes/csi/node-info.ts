// What a CSI driver has the node show: an annotation with its name for the node, labels of where the node is, and an
// entry in the CSINode. Pure. Upstream: pkg/volume/csi/nodeinfomanager.
import type { Node } from '../../../api/types/core-v1.ts'
import type { CSINodeDriver } from '../../../api/types/storage-v1.ts'
import type { CsiNodeInfo } from './csi-api.ts'

export const NODE_ID = 'csi.volume.kubernetes.io/nodeid'

/** More than anybody attaches, and what an int32 holds. */
const MOST_VOLUMES = 2 ** 31 - 1

/** In-tree plugins whose volumes CSI drivers serve; of v1.36, all. */
export const MIGRATED_PLUGINS = [
  'kubernetes.io/aws-ebs',
  'kubernetes.io/azure-disk',
  'kubernetes.io/azure-file',
  'kubernetes.io/cinder',
  'kubernetes.io/gce-pd',
  'kubernetes.io/portworx-volume',
  'kubernetes.io/vsphere-volume',
].join(',')

interface NodeChange {
  metadata: { annotations?: Record<string, string | null>; labels?: Record<string, string> }
}

/** As a merge patch; undefined when the node shows it already. Throws when the node is somewhere else by its labels. */
export function nodeWithDriver(
  { metadata }: Pick<Node, 'metadata'>,
  driver: string,
  { nodeId, accessibleTopology }: CsiNodeInfo,
): NodeChange | undefined {
  const labels = { ...accessibleTopology?.segments }
  for (const [key, value] of Object.entries(labels)) {
    const there = metadata.labels?.[key]
    if (there !== undefined && there !== value)
      throw new Error(
        `detected topology value collision: driver reported "${key}":"${value}" but existing label is "${key}":"${there}"`,
      )
  }
  const ids = nodeIds(metadata.annotations)
  const hasLabels = Object.keys(labels).every(key => metadata.labels?.[key] !== undefined)
  if (ids[driver] === nodeId && hasLabels) return undefined
  return { metadata: { annotations: { [NODE_ID]: sortedJson({ ...ids, [driver]: nodeId }) }, labels } }
}

/** Labels stay: volumes may be bound to them. */
export function nodeWithoutDriver(
  { metadata }: Pick<Node, 'metadata'>,
  driver: string,
): NodeChange | undefined {
  const { [driver]: gone, ...ids } = nodeIds(metadata.annotations)
  if (gone === undefined) return undefined
  const annotation = Object.keys(ids).length > 0 ? sortedJson(ids) : null
  return { metadata: { annotations: { [NODE_ID]: annotation } } }
}

function nodeIds(annotations: Readonly<Record<string, string>> = {}): Record<string, string> {
  const text = annotations[NODE_ID]
  if (!text) return {}
  try {
    return JSON.parse(text) as Record<string, string>
  } catch (error) {
    throw new Error(
      `failed to parse node's "${NODE_ID}" annotation value ("${text}") err=${(error as Error).message}`,
    )
  }
}

/** As Go writes maps. */
export const sortedJson = (map: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))))

/** In the order in which upstream has them: the newest last. */
export function driversWith(
  drivers: readonly CSINodeDriver[],
  name: string,
  { nodeId, maxVolumesPerNode, accessibleTopology }: CsiNodeInfo,
): CSINodeDriver[] {
  const entry: CSINodeDriver = {
    name,
    nodeID: nodeId,
    topologyKeys: Object.keys(accessibleTopology?.segments ?? {}).sort(),
    ...(maxVolumesPerNode > 0 && { allocatable: { count: Math.min(maxVolumesPerNode, MOST_VOLUMES) } }),
  }
  return [...drivers.filter(driver => driver.name !== name), entry]
}
