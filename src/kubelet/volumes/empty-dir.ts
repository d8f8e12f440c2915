import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Quantity } from '../../api/quantity.ts'
import { volumePath } from '../pod-paths.ts'
import { mountsUnder } from './remove-mounts.ts'
import type { VolumePlugin } from './volume-plugin.ts'

/** A directory that lives as long as the pod; on tmpfs with medium Memory. Limits of disk-backed ones are not enforced by mounts. */
export const emptyDir: VolumePlugin = {
  name: 'empty-dir',
  async setUp({ pod, volume }, { facts, mounter }) {
    const hostPath = volumePath(facts, pod.metadata.uid, 'empty-dir', volume.name)
    const existed = await stat(hostPath).then(
      () => true,
      () => false,
    )
    await mkdir(hostPath, { recursive: true, mode: 0o777 })
    const { medium = '', sizeLimit } = volume.emptyDir ?? {}
    if (medium.startsWith('HugePages')) throw new Error(`medium "${medium}" is not supported on this node`)
    if (medium === 'Memory' && !mountsUnder(dirname(hostPath)).includes(hostPath)) {
      const size = sizeLimit ? `,size=${Quantity.parse(sizeLimit).value()}` : ''
      mounter.tmpfs(hostPath, `mode=0777${size}`)
    } else if (existed) return { hostPath }
    const group = pod.spec.securityContext?.fsGroup
    if (group !== undefined) await chown(hostPath, 0, group)
    // The set-group-id bit makes new files belong to the pod's group.
    await chmod(hostPath, group === undefined ? 0o777 : 0o2777)
    return { hostPath }
  },
}
