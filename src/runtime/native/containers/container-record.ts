// What the runtime keeps of a container, and what it takes to make one.
import type { ContainerConfig, ContainerState, LinuxContainerUser } from '../../cri/cri.generated.ts'
import type { MappedFiles, MappingRequest } from './mapped-files.ts'
import type { OciSpec } from './oci-spec.ts'

interface Wanted {
  sandboxId: string
  config: ContainerConfig
  /** What the container was asked to run, resolved: the image's id. */
  imageId: string
  imageRef: string
  logPath: string
  stopSignal: string
  /** Whom it runs as, resolved. */
  user: LinuxContainerUser
  /** Images that it has as volumes; absent where there are none. */
  volumeImageIds?: readonly string[]
}

export interface NewContainer extends Wanted {
  /** Layers of the root, topmost first. */
  lowerDirs: readonly string[]
  /** For a sandbox with a user namespace. */
  mapping?: MappingRequest
  /**
   * The OCI spec once the container's id, folder and root are known. With a user namespace, `mapped` tells where its
   * files are to be found.
   */
  spec(id: string, bundle: string, rootfs: string, mapped?: MappedFiles): OciSpec
}

export interface ContainerRecord extends Wanted {
  id: string
  /** Nanoseconds since the epoch; 0 when it has not come to that. */
  createdAt: number
  startedAt: number
  finishedAt: number
  pid: number
  state: ContainerState
  exitCode: number
  reason: string
  message: string
  /** Why it cannot be started; there is no process then. */
  cannotStart?: string
}
