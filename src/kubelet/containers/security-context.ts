// Pod and container securityContext as CRI's. Upstream: kuberuntime/security_context.go, pkg/securitycontext.
import { resolve } from 'node:path'
import type {
  Container,
  EphemeralContainer,
  Pod,
  SeccompProfile,
  SecurityContext,
} from '../../api/types/core-v1.ts'
import type {
  LinuxContainerSecurityContext,
  LinuxSandboxSecurityContext,
  NamespaceOption,
  SecurityProfile,
  UserNamespace,
} from '../../runtime/cri/cri.generated.ts'
import { describePod } from '../pod-name.ts'
import { appArmorName, appArmorProfileOf } from './app-armor.ts'
import { ConfigError } from './config-error.ts'

const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** Whom the image runs as by default. */
export interface ImageUser {
  uid?: number
  username: string
}

/** What a pod's security context needs of its node. */
export interface NodeContext {
  /** DIR/kubelet */
  rootDir: string
  /** The pod's (user-namespaces.ts). */
  usernsOptions: UserNamespace
}

type AnyContainer = Container | EphemeralContainer

/** The container's own settings before the pod's. */
export function effectiveSecurityContext(pod: Pod, container: AnyContainer): SecurityContext {
  const own = container.securityContext ?? {}
  const { runAsUser, runAsGroup, runAsNonRoot, seLinuxOptions, seccompProfile } =
    pod.spec.securityContext ?? {}
  const inherited = { runAsUser, runAsGroup, runAsNonRoot, seLinuxOptions, seccompProfile }
  const given = Object.fromEntries(
    Object.entries(own).filter(([, value]) => value !== undefined && value !== null),
  )
  return { ...inherited, ...given }
}

/** Throws ConfigError when the container would run as root although it must not (upstream: verifyRunAsNonRoot). */
export function verifyRunAsNonRoot(pod: Pod, container: AnyContainer, image: ImageUser): void {
  const { runAsNonRoot, runAsUser } = effectiveSecurityContext(pod, container)
  if (!runAsNonRoot) return
  const where = `(pod: "${describePod(pod)}", container: ${container.name})`
  if (runAsUser !== undefined) {
    if (runAsUser === 0) throw new ConfigError(`container's runAsUser breaks non-root policy ${where}`)
    return
  }
  if (image.uid === 0) throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`)
  if (image.uid === undefined && image.username !== '') {
    throw new ConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    )
  }
  if (image.uid === undefined)
    throw new ConfigError(`container has runAsNonRoot and image will run as root ${where}`)
}

export function containerSecurityContext(
  pod: Pod,
  container: AnyContainer,
  image: ImageUser,
  { rootDir, usernsOptions, targetId }: NodeContext & { targetId?: string },
): LinuxContainerSecurityContext {
  const context = effectiveSecurityContext(pod, container)
  const { runAsUser, runAsGroup, capabilities, privileged, seLinuxOptions } = context
  const uid = runAsUser ?? image.uid
  const unmasked = context.procMount === 'Unmasked' || privileged
  return {
    ...(capabilities && {
      capabilities: { addCapabilities: capabilities.add ?? [], dropCapabilities: capabilities.drop ?? [] },
    }),
    privileged: privileged ?? false,
    namespaceOptions: namespaceOptions(pod, usernsOptions, targetId),
    ...(seLinuxOptions && { selinuxOptions: seLinuxOptions }),
    ...(uid !== undefined && { runAsUser: { value: uid } }),
    ...(uid === undefined && image.username && { runAsUsername: image.username }),
    ...(runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
    readonlyRootfs: context.readOnlyRootFilesystem ?? false,
    ...supplementalGroups(pod),
    noNewPrivs: context.allowPrivilegeEscalation === false,
    maskedPaths: unmasked ? [] : MASKED_PATHS,
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
    seccomp: seccompOf(context.seccompProfile, privileged, rootDir),
    ...appArmorOf(pod, container),
  }
}

export function sandboxSecurityContext(
  pod: Pod,
  { rootDir, usernsOptions }: NodeContext,
): LinuxSandboxSecurityContext {
  const { runAsUser, runAsGroup, seLinuxOptions, seccompProfile } = pod.spec.securityContext ?? {}
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  return {
    namespaceOptions: namespaceOptions(pod, usernsOptions),
    ...(seLinuxOptions && { selinuxOptions: seLinuxOptions }),
    ...(runAsUser !== undefined && { runAsUser: { value: runAsUser } }),
    ...(runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
    ...supplementalGroups(pod),
    privileged: all.some(container => container.securityContext?.privileged),
    seccomp: seccompOf(seccompProfile, false, rootDir),
  }
}

export function namespaceOptions(
  { spec }: Pod,
  usernsOptions: UserNamespace,
  targetId?: string,
): NamespaceOption {
  const pid = spec.hostPID ? 'NODE' : spec.shareProcessNamespace ? 'POD' : targetId ? 'TARGET' : 'CONTAINER'
  return {
    network: spec.hostNetwork ? 'NODE' : 'POD',
    pid,
    ipc: spec.hostIPC ? 'NODE' : 'POD',
    ...(pid === 'TARGET' && { targetId: targetId! }),
    usernsOptions,
  }
}

function supplementalGroups({ spec }: Pod) {
  const { supplementalGroups: groups = [], fsGroup, supplementalGroupsPolicy } = spec.securityContext ?? {}
  const all = fsGroup === undefined ? groups : [...groups, fsGroup]
  return {
    ...(all.length > 0 && { supplementalGroups: [...new Set(all)] }),
    ...(supplementalGroupsPolicy && { supplementalGroupsPolicy }),
  }
}

/**
 * Profiles of the node are files below DIR/kubelet/seccomp.
 * Without a profile containers get the runtime's own, as with upstream's --seccomp-default.
 */
function seccompOf(
  seccomp: SeccompProfile | undefined,
  privileged: boolean | undefined,
  rootDir: string,
): SecurityProfile {
  if (privileged) return { profileType: 'Unconfined', localhostRef: '' }
  if (!seccomp) return { profileType: 'RuntimeDefault', localhostRef: '' }
  const { localhostRef = '', ...rest } = profile(seccomp)
  return { ...rest, localhostRef: localhostRef && resolve(rootDir, 'seccomp', localhostRef) }
}

/** Both forms: runtimes of before 2021 know the second. */
function appArmorOf(pod: Pod, container: AnyContainer) {
  const wanted = appArmorProfileOf(pod, container)
  return wanted && { apparmor: profile(wanted), apparmorProfile: appArmorName(wanted) }
}

const profile = ({ type, localhostProfile }: SeccompProfile): SecurityProfile => ({
  profileType: type,
  localhostRef: localhostProfile ?? '',
})
