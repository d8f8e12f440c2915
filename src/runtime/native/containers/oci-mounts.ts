// The mounts of an OCI spec.
import type { ContainerConfig, Mount } from '../../cri/cri.generated.ts'

export interface MountInput {
  config: ContainerConfig
  /** Files of the sandbox that containers see. */
  files: { resolvConf: string; hostname: string; shm?: string }
}

export interface OciMount {
  destination: string
  type: string
  source: string
  options: string[]
}

const bind = (source: string, destination: string, ...options: string[]): OciMount => ({
  destination,
  type: 'bind',
  source,
  options: ['rbind', ...options],
})

/** What every container has, what its sandbox has, what it asks for; the later cover the earlier. */
export function mountsOf({ config, files }: MountInput): OciMount[] {
  const privileged = config.linux?.securityContext?.privileged ?? false
  const system = [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/sys',
      type: 'sysfs',
      source: 'sysfs',
      options: ['nosuid', 'noexec', 'nodev', privileged ? 'rw' : 'ro'],
    },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: ['nosuid', 'noexec', 'nodev', 'relatime', privileged ? 'rw' : 'ro'],
    },
  ]
  const own = config.mounts ?? []
  const covered = new Set(own.map(({ containerPath }) => containerPath))
  const pod = [
    ...(files.shm
      ? [bind(files.shm, '/dev/shm', 'rw', 'nosuid', 'noexec', 'nodev')]
      : [bind('/dev/shm', '/dev/shm', 'rw')]),
    bind(files.resolvConf, '/etc/resolv.conf', 'rw'),
    bind(files.hostname, '/etc/hostname', 'rw'),
  ].filter(({ destination }) => !covered.has(destination))
  return [...system.filter(({ destination }) => !covered.has(destination)), ...pod, ...own.map(ownMount)]
}

const PROPAGATION = {
  PROPAGATION_PRIVATE: 'rprivate',
  PROPAGATION_HOST_TO_CONTAINER: 'rslave',
  PROPAGATION_BIDIRECTIONAL: 'rshared',
} as const

function ownMount(mount: Mount): OciMount {
  const options = [PROPAGATION[mount.propagation ?? 'PROPAGATION_PRIVATE'], mount.readonly ? 'ro' : 'rw']
  if (mount.readonly && mount.recursiveReadOnly) options.push('rro')
  if (mount.image?.image) options.push('noexec')
  return bind(mount.hostPath, mount.containerPath, ...options)
}

/** Mounts can only travel between host and container when the root of the container lets them. */
export function propagationOf(mounts: readonly Mount[]): string | undefined {
  if (mounts.some(({ propagation }) => propagation === 'PROPAGATION_BIDIRECTIONAL')) return 'rshared'
  return mounts.some(({ propagation }) => propagation === 'PROPAGATION_HOST_TO_CONTAINER')
    ? 'rslave'
    : undefined
}
