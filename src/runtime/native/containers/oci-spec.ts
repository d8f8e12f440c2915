// Turns a CRI container into an OCI runtime spec (runtime-spec config.md). Pure: everything it needs is handed in.
import type { UserIds } from '../sandbox/user-namespace.ts'
import { effectiveCapabilities } from './capabilities.ts'
import { type MountInput, mountsOf, type OciMount, propagationOf } from './oci-mounts.ts'
import { type OciProcess, type ProcessInput, processOf } from './oci-process.ts'
import { type ResourceInput, resourcesOf } from './oci-resources.ts'
import { defaultSeccomp, type SeccompProfile } from './seccomp.ts'
import { FILTER_ANNOTATION } from './seccomp-filter.ts'

export interface OciInput extends ProcessInput, MountInput, ResourceInput {
  id: string
  /** Absolute path of the mounted root. */
  rootfs: string
  /** Paths of the sandbox's namespaces; a kind left out is the host's. */
  namespaces: { user?: string; net?: string; ipc?: string; uts?: string; pid?: string }
  /** What ids mean in the user namespace. */
  userIds?: UserIds
  hostPid: boolean
  cgroupsPath: string
  /** Compiles a profile ahead (see seccomp-filter.ts); absent where the runtime does not take the result. */
  compileSeccomp?: (profile: SeccompProfile) => string | undefined
  /** A seccomp profile read from disk (Localhost). */
  localSeccomp?: object
  /** Of the sandbox that are not set in its namespaces already. */
  sysctls: Record<string, string>
}

/** With what others read of it. */
export interface OciSpec {
  process: OciProcess
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
      resources: resourcesOf(input),
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
