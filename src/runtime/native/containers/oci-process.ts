// The process of an OCI spec, from what the container asks for and what its image says.
import type { ContainerConfig, LinuxContainerSecurityContext } from '../../cri/cri.generated.ts'
import type { ContainerConfig as ImageConfig } from '../images/media-types.ts'
import { effectiveCapabilities } from './capabilities.ts'
import type { ResolvedUser } from './user.ts'

export interface ProcessInput {
  config: ContainerConfig
  image: ImageConfig
  user: ResolvedUser
  /** CapBnd of this process. */
  bounding: bigint
  /** The name of a loaded profile. */
  appArmorProfile?: string
  /** False where oom_score_adj may not be lowered below this process's own. */
  mayLowerOomScore: boolean
  ownOomScore: number
}

/** With what others read of it. */
export interface OciProcess {
  args: readonly string[]
  [more: string]: unknown
}

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Whom it runs as, what it runs, and with which rights. */
export function processOf({ config, image, user, bounding, ...input }: ProcessInput): OciProcess {
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
  { mayLowerOomScore, ownOomScore }: Pick<ProcessInput, 'mayLowerOomScore' | 'ownOomScore'>,
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
function argumentsOf(config: Pick<ContainerConfig, 'command' | 'args'>, image: ImageConfig): string[] {
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
