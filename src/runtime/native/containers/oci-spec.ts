// Turns a CRI container into an OCI runtime spec (runtime-spec config.md). Pure: everything it needs is handed in.
import type {
  ContainerConfig,
  LinuxContainerResources,
  LinuxContainerSecurityContext,
  Mount,
} from '../../cri/cri.generated.ts'
import type { ContainerConfig as ImageConfig } from '../images/media-types.ts'
import type { UserIds } from '../sandbox/user-namespace.ts'
import { effectiveCapabilities } from './capabilities.ts'
import type { OciDevice } from './devices.ts'
import { defaultSeccomp, type SeccompProfile } from './seccomp.ts'
import { FILTER_ANNOTATION } from './seccomp-filter.ts'
import type { ResolvedUser } from './user.ts'

export interface OciInput {
  id: string
  config: ContainerConfig
  image: ImageConfig
  user: ResolvedUser
  /** Absolute path of the mounted root. */
  rootfs: string
  /** Paths of the sandbox's namespaces; a kind left out is the host's. */
  namespaces: { user?: string; net?: string; ipc?: string; uts?: string; pid?: string }
  /** What ids mean in the user namespace. */
  userIds?: UserIds
  hostPid: boolean
  /** The name of a loaded profile. */
  appArmorProfile?: string
  /** Files of the sandbox that containers see. */
  files: { resolvConf: string; hostname: string; shm?: string }
  cgroupsPath: string
  /** CapBnd of this process. */
  bounding: bigint
  /** False where oom_score_adj may not be lowered below this process's own. */
  mayLowerOomScore: boolean
  ownOomScore: number
  /** Compiles a profile ahead (see seccomp-filter.ts); absent where the runtime does not take the result. */
  compileSeccomp?: (profile: SeccompProfile) => string | undefined
  /** A seccomp profile read from disk (Localhost). */
  localSeccomp?: object
  /** Of the sandbox that are not set in its namespaces already. */
  sysctls: Record<string, string>
  /** Beside the usual ones. */
  devices: readonly OciDevice[]
  /** A cgroup namespace hides the rest of the tree; only the unified hierarchy needs it. */
  unifiedCgroups: boolean
  /** False where the machine cannot. */
  limitsHugepages: boolean
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface OciMount {
  destination: string
  type: string
  source: string
  options: string[]
}

/** With what others read of it. */
export interface OciSpec {
  process: { args: readonly string[]; [more: string]: unknown }
  mounts: OciMount[]
  [more: string]: unknown
}

export function ociSpec(input: OciInput): OciSpec {
  const { config, rootfs } = input
  const security = config.linux?.securityContext ?? {}
  const privileged = security.privileged ?? false
  const seccomp = seccompOf(input)
  return {
    ociVersion: '1.0.2',
    process: processOf(input),
    root: { path: rootfs, readonly: security.readonlyRootfs ?? false },
    mounts: mountsOf(input),
    annotations: { ...config.annotations, ...filterOf(seccomp, input) },
    linux: {
      namespaces: namespacesOf(input),
      ...(input.userIds && ociMappings(input.userIds)),
      cgroupsPath: input.cgroupsPath,
      resources: { ...resourcesOf(config.linux?.resources ?? {}, input), devices: deviceRules(input) },
      devices: input.devices.map(({ access: _, ...device }) => device),
      sysctl: input.sysctls,
      // None is a wish too: procMount Unmasked.
      maskedPaths: privileged ? [] : (security.maskedPaths ?? []),
      readonlyPaths: privileged ? [] : (security.readonlyPaths ?? []),
      seccomp,
      rootfsPropagation: propagationOf(config.mounts ?? []),
    },
  }
}

function processOf({ config, image, user, bounding, ...input }: OciInput): OciSpec['process'] {
  const security = config.linux?.securityContext ?? {}
  const { add, drop } = {
    add: security.capabilities?.addCapabilities ?? [],
    drop: security.capabilities?.dropCapabilities ?? [],
  }
  const capabilities = effectiveCapabilities(add, drop, security.privileged ?? false, bounding)
  const ambient = security.capabilities?.addAmbientCapabilities ?? []
  // Other users than root keep capabilities only as far as files or ambient ones give them.
  const isRoot = user.uid === 0
  return {
    terminal: config.tty ?? false,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.groups },
    args: argumentsOf(config, image),
    env: environmentOf(config, image, user),
    cwd: config.workingDir || image.WorkingDir || '/',
    capabilities: {
      bounding: capabilities,
      effective: isRoot ? capabilities : ambient,
      permitted: isRoot ? capabilities : ambient,
      inheritable: ambient,
      ambient,
    },
    noNewPrivileges: security.noNewPrivs ?? false,
    ...(input.appArmorProfile && { apparmorProfile: input.appArmorProfile }),
    oomScoreAdj: oomScore(config.linux?.resources?.oomScoreAdj ?? 0, input),
  }
}

function oomScore(
  wanted: number,
  { mayLowerOomScore, ownOomScore }: Pick<OciInput, 'mayLowerOomScore' | 'ownOomScore'>,
): number {
  return mayLowerOomScore ? wanted : Math.max(wanted, ownOomScore)
}

/** The image's groups of the user count too, unless the policy says otherwise. The primary group is not among them. */
export function supplementalGroups(
  user: ResolvedUser,
  security: LinuxContainerSecurityContext | undefined,
): number[] {
  const own = security?.supplementalGroupsPolicy === 'Strict' ? [] : user.groups
  return [...new Set([...own, ...(security?.supplementalGroups ?? [])])]
}

/** A command replaces the image's entrypoint and its arguments; arguments alone replace its arguments. */
export function argumentsOf(config: Pick<ContainerConfig, 'command' | 'args'>, image: ImageConfig): string[] {
  const command = config.command ?? []
  const args = config.args ?? []
  if (command.length > 0) return [...command, ...args]
  return [...(image.Entrypoint ?? []), ...(args.length > 0 ? args : (image.Cmd ?? []))]
}

function environmentOf(config: ContainerConfig, image: ImageConfig, user: ResolvedUser): string[] {
  const merged = new Map<string, string>()
  // Values are bytes in the CRI; they come from the wire as a plain Uint8Array.
  const own = (config.envs ?? []).map(({ key, value }) => `${key}=${Buffer.from(value ?? []).toString()}`)
  for (const variable of [
    DEFAULT_PATH,
    `HOME=${user.home}`,
    ...(config.tty ? ['TERM=xterm'] : []),
    ...(image.Env ?? []),
    ...own,
  ]) {
    const name = variable.slice(0, variable.indexOf('='))
    merged.set(name, variable)
  }
  return [...merged.values()]
}

function namespacesOf({ config, namespaces, hostPid, unifiedCgroups }: OciInput): object[] {
  const list: object[] = [{ type: 'mount' }]
  if (namespaces.user) list.push({ type: 'user', path: namespaces.user })
  if (unifiedCgroups && !config.linux?.securityContext?.privileged) list.push({ type: 'cgroup' })
  if (namespaces.pid) list.push({ type: 'pid', path: namespaces.pid })
  else if (!hostPid) list.push({ type: 'pid' })
  if (namespaces.net) list.push({ type: 'network', path: namespaces.net })
  if (namespaces.ipc) list.push({ type: 'ipc', path: namespaces.ipc })
  if (namespaces.uts) list.push({ type: 'uts', path: namespaces.uts })
  return list
}

/** Beside the namespace's path, because runtimes want to know what is mapped. */
export function ociMappings({ uids, gids }: UserIds): object {
  const list = (ids: UserIds['uids']) =>
    ids.map(({ containerId, hostId, length }) => ({ containerID: containerId, hostID: hostId, size: length }))
  return { uidMappings: list(uids), gidMappings: list(gids) }
}

const bind = (source: string, destination: string, ...options: string[]): OciMount => ({
  destination,
  type: 'bind',
  source,
  options: ['rbind', ...options],
})

function mountsOf({ config, files }: OciInput): OciMount[] {
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
function propagationOf(mounts: readonly Mount[]): string | undefined {
  if (mounts.some(({ propagation }) => propagation === 'PROPAGATION_BIDIRECTIONAL')) return 'rshared'
  return mounts.some(({ propagation }) => propagation === 'PROPAGATION_HOST_TO_CONTAINER')
    ? 'rslave'
    : undefined
}

function resourcesOf(
  resources: LinuxContainerResources,
  { unifiedCgroups, limitsHugepages }: Pick<OciInput, 'unifiedCgroups' | 'limitsHugepages'>,
): object {
  const {
    cpuShares,
    cpuQuota,
    cpuPeriod,
    cpusetCpus,
    cpusetMems,
    memoryLimitInBytes,
    memorySwapLimitInBytes,
  } = resources
  const some = <T>(value: T | undefined) => value || undefined
  return {
    cpu: {
      shares: some(cpuShares),
      quota: some(cpuQuota),
      period: some(cpuPeriod),
      cpus: some(cpusetCpus),
      mems: some(cpusetMems),
    },
    // Swap stays unlimited unless it is limited to the memory limit itself.
    memory: {
      limit: some(memoryLimitInBytes),
      swap: some(memorySwapLimitInBytes) ?? some(memoryLimitInBytes),
    },
    ...(limitsHugepages &&
      resources.hugepageLimits?.length && {
        hugepageLimits: resources.hugepageLimits.map(({ pageSize, limit = 0 }) => ({ pageSize, limit })),
      }),
    ...(unifiedCgroups &&
      resources.unified &&
      Object.keys(resources.unified).length > 0 && { unified: resources.unified }),
  }
}

function deviceRules({ config, devices }: OciInput): object[] {
  if (config.linux?.securityContext?.privileged) return [{ allow: true, access: 'rwm' }]
  const usual = [
    ['c', 1, 3],
    ['c', 1, 5],
    ['c', 1, 7],
    ['c', 1, 8],
    ['c', 1, 9],
    ['c', 5, 0],
    ['c', 5, 2],
    ['c', 136, undefined],
  ] as const
  return [
    { allow: false, access: 'rwm' },
    ...usual.map(([type, major, minor]) => ({ allow: true, type, major, minor, access: 'rwm' })),
    ...devices.map(({ type, major, minor, access }) => ({ allow: true, type, major, minor, access })),
  ]
}

function filterOf(
  profile: object | undefined,
  { localSeccomp, compileSeccomp }: OciInput,
): Record<string, string> {
  // A profile from disk may use all of the language; the runtime reads that one itself.
  const filter = profile && profile !== localSeccomp ? compileSeccomp?.(profile as SeccompProfile) : undefined
  return filter ? { [FILTER_ANNOTATION]: filter } : {}
}

function seccompOf({ config, bounding, localSeccomp }: OciInput): object | undefined {
  const security = config.linux?.securityContext
  if (security?.privileged) return undefined
  switch (security?.seccomp?.profileType ?? 'RuntimeDefault') {
    case 'Unconfined':
      return undefined
    case 'Localhost':
      return localSeccomp
    default: {
      const { addCapabilities = [], dropCapabilities = [] } = security?.capabilities ?? {}
      return defaultSeccomp(effectiveCapabilities(addCapabilities, dropCapabilities, false, bounding))
    }
  }
}
