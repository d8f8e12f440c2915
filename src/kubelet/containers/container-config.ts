// A container as CRI ContainerConfig. Upstream: kuberuntime_container.go generateContainerConfig.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Container, EphemeralContainer, Pod } from '../../api/types/core-v1.ts'
import type { ContainerConfig, Mount, Signal, UserNamespace } from '../../runtime/cri/cri.generated.ts'
import type { NodeFacts } from '../node-facts.ts'
import type { PodPlugins } from '../plugins/pod-plugins.ts'
import { containerLogPath, etcHostsPath, terminationLogPath } from '../pod-paths.ts'
import { containerHash } from '../pod-worker/container-hash.ts'
import { ANNOTATION, LABEL } from '../runtime-view/cri-labels.ts'
import type { UserNamespaces } from '../user-namespaces/user-namespaces.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'
import { type Environment, type EnvironmentFacts, environment } from './environment.ts'
import { hostNetworkHosts, managedHosts } from './etc-hosts.ts'
import { expand } from './expand.ts'
import { containerResources } from './linux-resources.ts'
import type { ObjectSource } from './object-source.ts'
import { podHostname } from './pod-hostname.ts'
import { containerSecurityContext, type ImageUser, verifyRunAsNonRoot } from './security-context.ts'

export interface ContainerInputs {
  pod: Pod
  container: Container | EphemeralContainer
  restartCount: number
  podIPs: readonly string[]
  /** What the image service answered for the image. */
  imageRef: string
  imageUser: ImageUser
  /** What the image service answered for the images that it mounts, by volume. */
  volumeImages?: ReadonlyMap<string, string>
  /** Of an ephemeral container's target. */
  targetId?: string
}

export interface ConfigParts {
  facts: NodeFacts
  source: ObjectSource
  volumes: PodVolumes
  userNamespaces: Pick<UserNamespaces, 'of'>
  plugins: Pick<PodPlugins, 'additionsFor'>
}

export interface ConfiguredContainer {
  config: ContainerConfig
  /** Texts for InvalidEnvironmentVariableNames events. */
  skippedEnv: string[]
}

/** Throws ConfigError (and whatever volumes throw) with the text that the pod shows. Writes the files it mounts. */
export async function containerConfig(
  inputs: ContainerInputs,
  parts: ConfigParts,
): Promise<ConfiguredContainer> {
  const { pod, imageUser, targetId } = inputs
  const container = inputs.container as Container
  verifyRunAsNonRoot(pod, container, imageUser)
  const { facts, source, volumes } = parts
  const volumeFile: EnvironmentFacts['volumeFile'] = (...of) => volumes.readFile(...of)
  const usernsOptions = parts.userNamespaces.of(pod)
  const node = { rootDir: facts.rootDir, usernsOptions, ...(targetId && { targetId }) }
  const fieldFacts = { ...facts, podIPs: inputs.podIPs, volumeFile }
  const env = await environment(pod, container, source, fieldFacts)
  const mounts = await mountsOf(inputs, parts, env)
  const value = (name: string) => env.variables.get(name)
  const { stopSignal } = container.lifecycle ?? {}
  const additions = await parts.plugins.additionsFor(pod, container)
  // What the container says itself comes later, and holds.
  const variables = new Map([...additions.envs, ...env.variables])
  const config: ContainerConfig = {
    metadata: { name: container.name, attempt: inputs.restartCount },
    image: { image: inputs.imageRef, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map(word => expand(word, value)),
    args: (container.args ?? []).map(word => expand(word, value)),
    workingDir: container.workingDir ?? '',
    envs: [...variables].map(([key, text]) => ({ key, value: Buffer.from(text) })),
    mounts: [...additions.mounts, ...mounts.map(mount => withIds(mount, usernsOptions))],
    devices: [...additions.devices, ...parts.volumes.devicesOf(pod, container)],
    labels: labelsOf(pod, container),
    annotations: { ...additions.annotations, ...annotationsOf(pod, container, inputs) },
    logPath: containerLogPath(container.name, inputs.restartCount),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    ...(stopSignal && { stopSignal: criSignal(stopSignal) }),
    ...(additions.cdiDevices.length > 0 && { cDIDevices: [...additions.cdiDevices] }),
    linux: {
      resources: containerResources(pod, container, facts),
      securityContext: containerSecurityContext(pod, container, imageUser, node),
    },
  }
  return { config, skippedEnv: env.skipped }
}

/** Files keep their owners, as the container sees them: what the disk has as 0 is the container's root. */
function withIds(mount: Mount, { mode, uids = [], gids = [] }: UserNamespace): Mount {
  return mode === 'POD' ? { ...mount, uidMappings: uids, gidMappings: gids } : mount
}

/** 'SIGRTMIN+1' is SIGRTMINPLUS1 there. */
const criSignal = (name: string) => name.replace('+', 'PLUS').replace('-', 'MINUS') as Signal

function labelsOf({ metadata }: Pod, container: Container): Record<string, string> {
  return {
    [LABEL.podName]: metadata.name,
    [LABEL.podNamespace]: metadata.namespace ?? '',
    [LABEL.podUid]: metadata.uid,
    [LABEL.containerName]: container.name,
  }
}

/** What is needed to understand the container when its pod is no longer known. */
function annotationsOf(
  { metadata, spec }: Pod,
  container: Container,
  { restartCount, volumeImages }: ContainerInputs,
): Record<string, string> {
  const { deletionGracePeriodSeconds } = metadata
  const preStop = container.lifecycle?.preStop
  return {
    [ANNOTATION.hash]: containerHash(container),
    [ANNOTATION.memoryRequest]: container.resources?.requests?.memory ?? '',
    [ANNOTATION.restartCount]: String(restartCount),
    [ANNOTATION.terminationMessagePath]: container.terminationMessagePath ?? '',
    [ANNOTATION.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
    ...(deletionGracePeriodSeconds !== undefined && {
      [ANNOTATION.podDeletionGracePeriod]: String(deletionGracePeriodSeconds),
    }),
    [ANNOTATION.podTerminationGracePeriod]: String(spec.terminationGracePeriodSeconds ?? 30),
    ...(preStop && { [ANNOTATION.preStopHandler]: JSON.stringify(preStop) }),
    ...(volumeImages?.size && { [ANNOTATION.volumeImages]: JSON.stringify([...volumeImages.values()]) }),
    ...(container.ports?.length && { [ANNOTATION.ports]: JSON.stringify(container.ports) }),
  }
}

async function mountsOf(
  inputs: ContainerInputs,
  { facts, volumes }: ConfigParts,
  env: Environment,
): Promise<Mount[]> {
  const { pod, podIPs } = inputs
  const container = inputs.container as Container
  const value = (name: string) => env.variables.get(name)
  const mounts = await volumes.mountsOf(pod, container, value, inputs.volumeImages)
  const taken = (path: string) => mounts.some(({ containerPath }) => containerPath === path)
  if (podIPs.length > 0 && !taken('/etc/hosts')) mounts.push(hostsMount(pod, podIPs, facts))
  const path = container.terminationMessagePath
  if (path && !taken(path)) mounts.push(terminationMount(inputs, path, facts))
  return mounts
}

// Synchronous: containers wait for these files, and each is made faster than a thread is woken.

function hostsMount(pod: Pod, podIPs: readonly string[], facts: NodeFacts): Mount {
  const hostPath = etcHostsPath(facts, pod.metadata.uid)
  const aliases = pod.spec.hostAliases ?? []
  const content = pod.spec.hostNetwork
    ? hostNetworkHosts(textOf('/etc/hosts') ?? '', aliases)
    : managedHosts(podIPs, podHostname(pod, facts.nodeName, facts.clusterDomain), aliases)
  // Containers may write to it; an existing file keeps its inode because running containers have it mounted.
  if (textOf(hostPath) !== content) {
    mkdirSync(dirname(hostPath), { recursive: true, mode: 0o750 })
    writeFileSync(hostPath, content, { mode: 0o644 })
    chmodSync(hostPath, 0o644)
  }
  return { containerPath: '/etc/hosts', hostPath, readonly: false, selinuxRelabel: true }
}

/** Undefined where there is none, or none that can be read. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** A file of its own for each start, so that an old message is never taken for a new one. */
function terminationMount(
  { pod, container, restartCount }: ContainerInputs,
  path: string,
  facts: NodeFacts,
): Mount {
  const hostPath = terminationLogPath(facts, pod.metadata.uid, container.name, restartCount)
  // There already: it was made when the container was prepared, or by a start that failed.
  if (!existsSync(hostPath)) {
    mkdirSync(dirname(hostPath), { recursive: true, mode: 0o750 })
    writeFileSync(hostPath, '')
    chmodSync(hostPath, 0o666)
  }
  return { containerPath: path, hostPath, readonly: false, selinuxRelabel: true }
}
