// Block devices that show files, as an interface so that tests run without privileges.
import { attachLoop, detachLoop, findLoop, refreshLoop } from '../../runtime/native/syscall/loop-device.ts'

export interface BlockDevices {
  /** A device that shows the file, the same one each time; answers its path. `volume` names it for people. */
  attach(volume: string, file: string): string
  /** The device of the file, if it has one, is as large as the file now. */
  grow(file: string): void
  /** What attach answered, and nothing else. What is gone already is fine. */
  detach(device: string): void
}

/** Their names carry the cluster's. */
export const systemBlockDevices = (cluster: string): BlockDevices => ({
  attach: (volume, file) => attachLoop(cluster, volume, file),
  grow(file) {
    const device = findLoop(cluster, file)
    if (device) refreshLoop(device)
  },
  detach: device => detachLoop(cluster, device),
})

export const noBlockDevices: BlockDevices = {
  attach() {
    throw new Error('files cannot be shown as block devices on this node')
  },
  grow() {},
  detach() {},
}
