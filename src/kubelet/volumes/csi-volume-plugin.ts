import { ephemeralCsiVolume } from './csi/csi-volume.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** A CSI driver's volume that lives as long as the Pod. Upstream: CSIInlineVolume. */
export const csi: VolumePlugin = {
  name: 'csi',
  async setUp({ pod, volume, now }, parts) {
    const { readOnly } = volume.csi!
    const ready = await parts.csi.setUp(pod, ephemeralCsiVolume(pod, volume), now)
    return { ...ready, ...(readOnly && { readOnly }) }
  },
  refresh(_ready, context, parts) {
    return csi.setUp(context, parts)
  },
}
