// From what the CRI asks for to what the container store makes: image, user, volumes, profile, spec.
import { join } from 'node:path'
import type { ContainerConfig, CreateContainerRequest } from '../../cri/cri.generated.ts'
import { criNotFound } from '../../cri/cri-error.ts'
import { checkPropagation, makeSources } from '../host-mounts.ts'
import type { ImageStore } from '../images/image-store.ts'
import type { Sandbox } from '../sandbox/sandbox-store.ts'
import { userIdsOf } from '../sandbox/user-namespace.ts'
import type { StateDir } from '../state-dir.ts'
import type { AppArmor } from './app-armor.ts'
import type { NewContainer } from './container-record.ts'
import type { SpecMaker } from './container-spec.ts'
import { imageVolumesOf, withImageVolumes } from './image-volumes.ts'

export interface NewContainerParts {
  dir: StateDir
  images: ImageStore
  specs: SpecMaker
  appArmor: AppArmor
}

/** Makes what mounts need on the host. Throws CriError for what cannot be had. */
export async function newContainer(
  { podSandboxId, config, sandboxConfig }: CreateContainerRequest,
  sandbox: Sandbox,
  { dir, images, specs, appArmor }: NewContainerParts,
): Promise<NewContainer> {
  makeSources(config.mounts ?? [])
  checkPropagation(config.mounts ?? [])
  const image = images.find(config.image?.image ?? '')
  if (!image) throw criNotFound('image', config.image?.image ?? '')
  const lowerDirs = images.lowerDirectories(image.id)
  const user = specs.userOf(config, image.config.User ?? '', lowerDirs)
  const volumes = imageVolumesOf(config.mounts ?? [], images)
  const logDirectory = (sandboxConfig ?? sandbox.config).logDirectory ?? ''
  const appArmorProfile = await appArmor.profileFor(config.linux?.securityContext)
  const userIds = userIdsOf(sandbox.config.linux?.securityContext?.namespaceOptions)
  return {
    sandboxId: podSandboxId,
    config,
    imageId: image.id,
    imageRef: image.repoDigests[0] ?? image.id,
    logPath: config.logPath && logDirectory ? join(logDirectory, config.logPath) : '/dev/null',
    stopSignal: stopSignalOf(config, image.config.StopSignal),
    lowerDirs,
    user: { uid: user.uid, gid: user.gid, supplementalGroups: user.groups },
    ...(volumes.length > 0 && { volumeImageIds: volumes.map(({ imageId }) => imageId) }),
    ...(userIds && { mapping: { ids: userIds, userNamespace: dir.pod(podSandboxId, 'user') } }),
    spec: (id, bundle, rootfs, mapped) => {
      const mounted = withImageVolumes(config, bundle, volumes, mapped)
      const wanted = { sandbox, config: mounted, image: image.config, user, mapped, appArmorProfile }
      return specs.make(id, rootfs, wanted)
    },
  }
}

function stopSignalOf(config: ContainerConfig, fromImage: string | undefined): string {
  if (config.stopSignal && config.stopSignal !== 'RUNTIME_DEFAULT') return config.stopSignal
  if (!fromImage) return 'SIGTERM'
  return /^\d+$/.test(fromImage) || fromImage.startsWith('SIG') ? fromImage : `SIG${fromImage}`
}
