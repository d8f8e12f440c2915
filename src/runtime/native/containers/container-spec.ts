// Gathers what a container's OCI spec is made of: the sandbox's namespaces and files, the image's user, this machine.
import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type * as cri from '../../cri/cri.generated.ts'
import { CRI_CODE, CriError } from '../../cri/cri-error.ts'
import { withEdits } from '../cdi/apply-edits.ts'
import { editsFor } from '../cdi/find-devices.ts'
import type { ContainerConfig as ImageConfig } from '../images/media-types.ts'
import { cgroupMode } from '../mount-namespace.ts'
import type { RuntimeKind } from '../probe.ts'
import type { Sandbox } from '../sandbox/sandbox-store.ts'
import { containerSysctls } from '../sandbox/sysctls.ts'
import { userIdsOf } from '../sandbox/user-namespace.ts'
import type { StateDir } from '../state-dir.ts'
import type { ContainerRecord } from './container-record.ts'
import { hostDevices, wantedDevices } from './devices.ts'
import type { MappedFiles } from './mapped-files.ts'
import { supplementalGroups } from './oci-process.ts'
import { type OciInput, type OciSpec, ociSpec } from './oci-spec.ts'
import { compiledFilter } from './seccomp-filter.ts'
import { type ResolvedUser, resolveUser } from './user.ts'

export interface SpecMakerOptions {
  /** The cgroup in which a sandbox's containers have theirs. */
  cgroupParent(config: cri.PodSandboxConfig): string
  dir: StateDir
  kind: RuntimeKind
  /** The container whose processes another one may look into. */
  target(id: string): ContainerRecord
}

export interface SpecRequest {
  sandbox: Sandbox
  config: cri.ContainerConfig
  image: ImageConfig
  /** Whom it runs as (SpecMaker.userOf). */
  user: ResolvedUser
  /** For a sandbox with a user namespace. */
  mapped: MappedFiles | undefined
  /** The name of a loaded profile; undefined for none. */
  appArmorProfile: string | undefined
}

export class SpecMaker {
  readonly #options: SpecMakerOptions
  readonly #bounding: bigint
  readonly #ownOomScore: number
  readonly #unifiedCgroups = cgroupMode() === 'v2'
  readonly #limitsHugepages = hasHugetlb(this.#unifiedCgroups)

  constructor(options: SpecMakerOptions) {
    this.#options = options
    this.#bounding = BigInt(`0x${/CapBnd:\s*(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1]}`)
    this.#ownOomScore = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  }

  /** The spec of the container with this id, over a root that is mounted at `rootfs`. */
  make(
    id: string,
    rootfs: string,
    { sandbox, config: asked, image, user, mapped, appArmorProfile }: SpecRequest,
  ): OciSpec {
    const { kind, cgroupParent } = this.#options
    const userIds = userIdsOf(sandbox.config.linux?.securityContext?.namespaceOptions)
    const config = mapped ? { ...asked, mounts: (asked.mounts ?? []).map(withSource(mapped)) } : asked
    const options = namespaceOptions(config, sandbox)
    const localSeccomp = localProfile(config.linux?.securityContext?.seccomp)
    const spec = ociSpec({
      id,
      config,
      image,
      rootfs,
      user,
      namespaces: { ...this.#pinned(sandbox.id), ...this.#processNamespace(options, sandbox.id) },
      hostPid: options?.pid === 'NODE',
      ...(userIds && { userIds }),
      files: this.#files(sandbox.id, mapped),
      cgroupsPath: join(cgroupParent(sandbox.config), id),
      bounding: this.#bounding,
      mayLowerOomScore: ((this.#bounding >> 24n) & 1n) === 1n,
      ownOomScore: this.#ownOomScore,
      sysctls: containerSysctls(sandbox.config.linux?.sysctls ?? {}),
      devices: [
        ...(config.linux?.securityContext?.privileged ? hostDevices() : []),
        ...wantedDevices(config.devices ?? []),
      ],
      unifiedCgroups: this.#unifiedCgroups,
      limitsHugepages: this.#limitsHugepages,
      ...(localSeccomp && { localSeccomp }),
      ...(appArmorProfile && { appArmorProfile }),
      ...(kind === 'crun' && { compileSeccomp: compiledFilter }),
    })
    const named = (config.cDIDevices ?? []).map(({ name = '' }) => name)
    return named.length === 0 ? spec : withEdits(spec, editsFor(named))
  }

  /** Ids for the user that the config wants, or else the image; names are looked up in the image's layers. */
  userOf(config: cri.ContainerConfig, imageUser: string, layers: readonly string[]): ResolvedUser {
    const security = config.linux?.securityContext
    const wanted = security?.runAsUser
      ? String(security.runAsUser.value ?? 0)
      : security?.runAsUsername || imageUser.split(':')[0]!
    const own = !security?.runAsUser && !security?.runAsUsername
    const group = security?.runAsGroup
      ? String(security.runAsGroup.value ?? 0)
      : own
        ? imageUser.split(':')[1]
        : undefined
    const user = resolveUser(group === undefined ? wanted : `${wanted}:${group}`, layers)
    // The primary group is among them, as containerd has it.
    return { ...user, groups: [...new Set([user.gid, ...supplementalGroups(user, security)])] }
  }

  #pinned(sandboxId: string): OciInput['namespaces'] {
    const pinned = (kind: string) => {
      const file = this.#options.dir.pod(sandboxId, kind)
      return existsSync(file) ? { [kind]: file } : {}
    }
    return { ...pinned('user'), ...pinned('net'), ...pinned('ipc'), ...pinned('uts') }
  }

  #files(sandboxId: string, mapped: MappedFiles | undefined): OciInput['files'] {
    const { dir } = this.#options
    const file = (name: string) => {
      const path = dir.pod(sandboxId, name)
      return mapped ? mapped.reachable(path) : path
    }
    const shm = dir.pod(sandboxId, 'shm')
    return {
      resolvConf: file('resolv.conf'),
      hostname: file('hostname'),
      ...(existsSync(shm) && { shm: mapped ? mapped.reachable(shm) : shm }),
    }
  }

  /** The pod's, or another container's, which an ephemeral one may look into. */
  #processNamespace(options: cri.NamespaceOption | undefined, sandboxId: string): { pid?: string } {
    const shared = this.#options.dir.pod(sandboxId, 'pid')
    if ((options?.pid ?? 'POD') === 'POD') return existsSync(shared) ? { pid: shared } : {}
    if (options?.pid !== 'TARGET') return {}
    const target = this.#options.target(options.targetId ?? '')
    if (target.state !== 'CONTAINER_RUNNING') {
      throw new CriError(CRI_CODE.failedPrecondition, `target container ${target.id} is not running`)
    }
    return { pid: `/proc/${target.pid}/ns/pid` }
  }
}

const withSource = (mapped: MappedFiles) => (mount: cri.Mount) => ({
  ...mount,
  // Images were mounted with their owners mapped.
  hostPath: mount.image?.image ? mapped.reachable(mount.hostPath) : mapped.mapped(mount.hostPath),
})

/** Not every machine has the controller; on hybrid ones it may be in the hierarchy that is not used. */
function hasHugetlb(unified: boolean): boolean {
  if (!unified) return existsSync('/sys/fs/cgroup/hugetlb')
  return readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').split(/\s+/).includes('hugetlb')
}

function namespaceOptions(config: cri.ContainerConfig, sandbox: Sandbox): cri.NamespaceOption | undefined {
  return (
    config.linux?.securityContext?.namespaceOptions ?? sandbox.config.linux?.securityContext?.namespaceOptions
  )
}

/** A profile of the node's disk. */
function localProfile(profile: cri.SecurityProfile | undefined): object | undefined {
  if (profile?.profileType !== 'Localhost') return undefined
  const reference = profile.localhostRef ?? ''
  if (!isAbsolute(reference))
    throw new CriError(CRI_CODE.invalidArgument, `the seccomp profile ${reference} is not an absolute path`)
  return JSON.parse(readFileSync(reference, 'utf8')) as object
}
