// What a container's volumeMounts are for the runtime: where on the node the files are, and how they are mounted.
// Upstream: kubelet_pods.go makeMounts.
import { closeSync } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Container, Pod, VolumeMount } from '../../api/types/core-v1.ts'
import type { Log } from '../../base/log.ts'
import type { Mount, MountPropagation } from '../../runtime/cri/cri.generated.ts'
import { ConfigError } from '../containers/config-error.ts'
import { expand } from '../containers/expand.ts'
import { subPathDir } from '../pod-paths.ts'
import { openSubPath } from './safe-sub-path.ts'
import type { ReadyVolume, VolumeParts } from './volume-plugin.ts'

export interface WantedMounts {
  pod: Pod
  container: Container
  /** The container's variables, for subPathExpr. */
  env: (name: string) => string | undefined
  /** Images that are mounted, by volume. */
  images: ReadonlyMap<string, string>
  /** A volume that is set up. */
  readyOf: (volume: string) => ReadyVolume | undefined
}

type Parts = Pick<VolumeParts, 'facts' | 'mounter'> & { log: Log }

/** In their order. Throws ConfigError with upstream's texts. */
export async function volumeMounts(wanted: WantedMounts, parts: Parts): Promise<Mount[]> {
  const mounts: Mount[] = []
  for (const [index, mount] of (wanted.container.volumeMounts ?? []).entries()) {
    const image = wanted.images.get(mount.name)
    mounts.push(
      image === undefined
        ? await fileMount(mount, index, wanted, parts)
        : imageMount(mount, image, wantedSubPath(mount, wanted.env)),
    )
  }
  return mounts
}

async function fileMount(
  mount: VolumeMount,
  index: number,
  wanted: WantedMounts,
  parts: Parts,
): Promise<Mount> {
  const { container, env, readyOf } = wanted
  const ready = readyOf(mount.name)
  if (!ready || ready.isDevice)
    throw new ConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`)
  const subPath = wantedSubPath(mount, env)
  const hostPath = subPath
    ? await boundSubPath({ name: mount.name, index, volumeDir: ready.hostPath, subPath }, wanted, parts)
    : ready.hostPath
  const readonly = !!mount.readOnly || !!ready.readOnly
  return {
    containerPath: containerPathOf(mount),
    hostPath,
    readonly,
    selinuxRelabel: false,
    propagation: PROPAGATION[mount.mountPropagation ?? 'None'],
    ...(readonly && (mount.recursiveReadOnly ?? 'Disabled') !== 'Disabled' && { recursiveReadOnly: true }),
  }
}

interface SubPath {
  /** The volume's. */
  name: string
  /** Of the mount in the container's list. */
  index: number
  volumeDir: string
  subPath: string
}

/** A bind mount of exactly what was checked, so that nobody can exchange it before the runtime looks. */
async function boundSubPath(
  { name, index, volumeDir, subPath }: SubPath,
  { pod, container }: WantedMounts,
  { facts, mounter, log }: Parts,
): Promise<string> {
  const target = join(subPathDir(facts, pod.metadata.uid), name, container.name, String(index))
  try {
    const fd = await openSubPath(volumeDir, subPath)
    try {
      await makeTarget(target, `/proc/self/fd/${fd}`)
      mounter.unmount(target)
      mounter.bind(`/proc/self/fd/${fd}`, target)
    } finally {
      closeSync(fd)
    }
    return target
  } catch (error) {
    log.warn({ error, pod: pod.metadata.name, volume: name, subPath }, 'a subPath could not be prepared')
    throw new ConfigError(
      `failed to prepare subPath for volumeMount "${name}" of container "${container.name}": ${(error as Error).message}`,
    )
  }
}

const containerPathOf = ({ mountPath }: VolumeMount) =>
  mountPath.startsWith('/') ? mountPath : `/${mountPath}`

/** The runtime finds the files: upstream leaves hostPath empty too. */
const imageMount = (mount: VolumeMount, image: string, imageSubPath: string): Mount => ({
  containerPath: containerPathOf(mount),
  hostPath: '',
  readonly: true,
  selinuxRelabel: false,
  propagation: PROPAGATION.None!,
  image: { image },
  ...(imageSubPath && { imageSubPath }),
})

function wantedSubPath(mount: VolumeMount, env: (name: string) => string | undefined): string {
  const subPath = mount.subPathExpr ? expandStrictly(mount.subPathExpr, env) : (mount.subPath ?? '')
  checkSubPath(subPath)
  return subPath
}

/** What an expression came to is known only now. Upstream: makeMounts. */
function checkSubPath(subPath: string): void {
  if (subPath.startsWith('/'))
    throw new ConfigError(`error SubPath \`${subPath}\` must not be an absolute path`)
  if (subPath.split('/').includes('..'))
    throw new ConfigError(`unable to provision SubPath \`${subPath}\`: must not contain '..'`)
}

const PROPAGATION: Record<string, MountPropagation> = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
}

/** Unknown variables are errors here, not text. */
function expandStrictly(text: string, env: (name: string) => string | undefined): string {
  return expand(text, name => {
    const value = env(name)
    if (value === undefined) throw new ConfigError(`missing value for "${name}"`)
    return value
  })
}

/** A directory or an empty file, as the source is. */
async function makeTarget(target: string, source: string): Promise<void> {
  if ((await stat(source)).isDirectory()) {
    await mkdir(target, { recursive: true, mode: 0o750 })
    return
  }
  await mkdir(dirname(target), { recursive: true, mode: 0o750 })
  await writeFile(target, '', { flag: 'a', mode: 0o640 })
}
