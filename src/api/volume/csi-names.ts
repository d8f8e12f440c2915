// How volumes of CSI drivers and their attachments are called by all who meet over them: the attach-detach controller,
// the kubelet, and whoever reads a Node's status. Upstream: pkg/volume/csi getAttachmentName, GetUniqueVolumeName.
import { createHash } from 'node:crypto'

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Name of the VolumeAttachment of a volume at a node. */
export const attachmentName = (handle: string, driver: string, nodeName: string): string =>
  `csi-${sha256(`${handle}${driver}${nodeName}`)}`

/** In a Node's volumesInUse and volumesAttached. */
export const uniqueVolumeName = (driver: string, handle: string): string =>
  `kubernetes.io/csi/${driver}^${handle}`

/** A Node with this annotation leaves attaching and detaching to the controller. */
export const MANAGED_ATTACH = 'volumes.kubernetes.io/controller-managed-attach-detach'
