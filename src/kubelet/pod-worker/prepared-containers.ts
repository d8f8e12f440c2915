// Containers created before it is their turn, while the one before them runs: creating takes several times as long as
// starting (docs/decisions/0005). Nobody sees them: the view hides what was never started, and a prepared container
// is used only if, when its turn has come, it would be created in just the same way.
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Container, Pod } from '../../api/types/core-v1.ts'
import type { ContainerConfig, PodSandboxConfig, RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { containerConfig } from '../containers/container-config.ts'
import type { ObjectSource } from '../containers/object-source.ts'
import type { ImagePuller } from '../images/image-puller.ts'
import type { NodeFacts } from '../node-facts.ts'
import type { PodPlugins } from '../plugins/pod-plugins.ts'
import { podLogDir } from '../pod-paths.ts'
import { ANNOTATION } from '../runtime-view/cri-labels.ts'
import type { UserNamespaces } from '../user-namespaces/user-namespaces.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'
import { newestOf, type ObservedPod } from './observed-pod.ts'

/** How many containers ahead. Each costs the memory of a monitor and of a process that waits. */
const LOOK_AHEAD = 3

interface Prepared {
  sandboxId: string
  logFile: string
  made: Promise<{ id: string; config: ContainerConfig } | undefined>
}

export interface PreparationContext {
  pod: Pod
  observed: ObservedPod
  sandboxId: string
  sandboxConfig: PodSandboxConfig
  podIPs: readonly string[]
}

export interface PreparationParts {
  images: ImagePuller
  volumes: PodVolumes
  source: ObjectSource
  facts: NodeFacts
  userNamespaces: UserNamespaces
  plugins: Pick<PodPlugins, 'additionsFor' | 'concern'>
}

export class PreparedContainers {
  readonly #runtime: RuntimeService
  /** By pod uid, then by container name. */
  readonly #pods = new Map<string, Map<string, Prepared>>()

  constructor(runtime: RuntimeService) {
    this.#runtime = runtime
  }

  /**
   * Creates, in the background, so many containers that follow this one. Never fails: what cannot be prepared is left.
   */
  lookAhead(
    current: string,
    context: PreparationContext,
    parts: PreparationParts,
    count: number = LOOK_AHEAD,
  ): void {
    const { pod, observed, sandboxId } = context
    const prepared = this.#pods.get(pod.metadata.uid) ?? new Map<string, Prepared>()
    for (const container of following(pod, current, count)) {
      if (prepared.has(container.name) || newestOf(observed, container.name)) continue
      if (!mayPrepare(pod, container) || parts.plugins.concern(pod, container)) continue
      prepared.set(container.name, {
        sandboxId,
        logFile: join(podLogDir(parts.facts, pod), container.name, '0.log'),
        made: this.#make(container, context, parts).catch(() => undefined),
      })
    }
    if (prepared.size > 0) this.#pods.set(pod.metadata.uid, prepared)
  }

  has(uid: string, name: string): boolean {
    return this.#pods.get(uid)?.has(name) ?? false
  }

  /** The id of the container prepared with this config; undefined (and nothing is left of it) if there is none. */
  async take(
    uid: string,
    name: string,
    sandboxId: string,
    config: ContainerConfig,
  ): Promise<string | undefined> {
    const prepared = this.#pods.get(uid)?.get(name)
    if (!prepared) return undefined
    this.#pods.get(uid)?.delete(name)
    const made = await prepared.made
    if (made && prepared.sandboxId === sandboxId && sameConfig(made.config, config)) return made.id
    await this.#remove(prepared)
    return undefined
  }

  /**
   * A container that was taken could not be started. Unless the runtime counts that as its end, the view would go on
   * hiding it: it is removed. Its log stays.
   */
  async giveUp(id: string): Promise<void> {
    const ended = await this.#runtime
      .containerStatus({ containerId: id, verbose: false })
      .then(({ status }) => status.state === 'CONTAINER_EXITED')
      .catch(() => false)
    if (ended) return
    await this.#runtime.removeContainer({ containerId: id }).catch(() => {})
  }

  /** The pod ends, or its sandbox does. */
  async discard(uid: string): Promise<void> {
    const prepared = [...(this.#pods.get(uid)?.values() ?? [])]
    this.#pods.delete(uid)
    await Promise.all(prepared.map(one => this.#remove(one)))
  }

  async #make(container: Container, context: PreparationContext, parts: PreparationParts) {
    const { pod, podIPs, sandboxId, sandboxConfig } = context
    const image = await parts.images.present(pod, container)
    if (!image) return undefined
    const inputs = { pod, container, restartCount: 0, podIPs, imageRef: image.ref, imageUser: image.user }
    const { config } = await containerConfig(inputs, parts)
    const logFile = join(podLogDir(parts.facts, pod), config.logPath ?? '')
    mkdirSync(dirname(logFile), { recursive: true, mode: 0o755 })
    const marked = { ...config, annotations: { ...config.annotations, [ANNOTATION.prepared]: 'true' } }
    const request = { podSandboxId: sandboxId, config: marked, sandboxConfig }
    const { containerId } = await this.#runtime.createContainer(request)
    return { id: containerId, config }
  }

  async #remove({ made, logFile }: Prepared): Promise<void> {
    const container = await made
    if (!container) return
    await this.#runtime.removeContainer({ containerId: container.id }).catch(() => {})
    await rm(logFile, { force: true })
  }
}

/** What a kubelet that was killed has left prepared: nobody knows any more what it was made from. */
export async function removePrepared(
  runtime: RuntimeService,
  { logDir }: Pick<NodeFacts, 'logDir'>,
): Promise<void> {
  const { containers } = await runtime.listContainers({
    filter: { state: { state: 'CONTAINER_CREATED' } },
  })
  for (const { id, annotations } of containers) {
    if (!annotations[ANNOTATION.prepared]) continue
    const { logPath } = (await runtime.containerStatus({ containerId: id, verbose: false })).status
    await runtime.removeContainer({ containerId: id })
    if (logPath.startsWith(logDir)) await rm(logPath, { force: true })
  }
}

function following({ spec }: Pod, current: string, count: number): readonly Container[] {
  const all = [...(spec.initContainers ?? []), ...spec.containers]
  const index = all.findIndex(({ name }) => name === current)
  return index < 0 ? [] : all.slice(index + 1, index + 1 + count)
}

const STABLE_SOURCES = new Set(['emptyDir', 'configMap', 'secret', 'projected', 'downwardAPI'])

/**
 * Whether nothing that runs before the container's turn can change what it is created from without that showing in
 * its config: no image that may be pulled anew, no path that an earlier container can replace.
 */
export function mayPrepare({ spec }: Pod, container: Container): boolean {
  if (container.imagePullPolicy !== 'IfNotPresent' && container.imagePullPolicy !== 'Never') return false
  return (container.volumeMounts ?? []).every(mount => {
    if (mount.subPath || mount.subPathExpr) return false
    const { name: _name, ...source } = spec.volumes?.find(({ name }) => name === mount.name) ?? { name: '' }
    const kinds = Object.keys(source)
    return kinds.length > 0 && kinds.every(kind => STABLE_SOURCES.has(kind))
  })
}

/** Both were built by containerConfig, with their fields in the same order. */
function sameConfig(a: ContainerConfig, b: ContainerConfig): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
