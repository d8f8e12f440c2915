// Brings one container up: image, configuration, create, start, postStart. Upstream: kuberuntime startContainer.
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, EphemeralContainer, Pod, PullPolicy } from '../../api/types/core-v1.ts'
import type { PodSandboxConfig } from '../../runtime/cri/cri.generated.ts'
import { containerConfig } from '../containers/container-config.ts'
import { ImageError, type UsableImage } from '../images/image-puller.ts'
import { podLogDir } from '../pod-paths.ts'
import { runtimeErrorText } from '../runtime-view/runtime-error-text.ts'
import { volumeImagesOf } from '../volumes/image.ts'
import { killContainer } from './container-killer.ts'
import { newestOf, type ObservedPod, type StartFailure } from './observed-pod.ts'
import type { WorkerParts } from './worker-parts.ts'

/** How long a start that failed for another reason than its image is left alone. */
const RETRY_MS = 10_000
/** A failed pull shows as ErrImagePull this long before it shows as back-off. */
const SHOW_PULL_ERROR_MS = 1_000

export interface StartContext {
  pod: Pod
  observed: ObservedPod
  sandboxId: string
  sandboxConfig: PodSandboxConfig
  podIPs: readonly string[]
  signal: AbortSignal
}

interface Created {
  id: string
  wasPrepared: boolean
}

class Failed extends Error {
  readonly failure: StartFailure

  constructor(failure: StartFailure) {
    super(failure.message)
    this.failure = failure
  }
}

/** Answers why it failed, undefined when the container runs. Throws only when the signal aborts. */
export async function startContainer(
  container: Container | EphemeralContainer,
  context: StartContext,
  parts: WorkerParts,
): Promise<StartFailure | undefined> {
  try {
    const image = await ensureImage(container, context, parts)
    const volumeImages = await ensureVolumeImages(container, context, parts)
    const created = await create(container, image, volumeImages, context, parts)
    // The pod may be about to end by now: then nothing more of it begins.
    context.signal.throwIfAborted()
    const started = start(container, created, context, parts)
    // Not before the runtime has been told to start this one: it is what everybody waits for.
    parts.prepared.lookAhead(container.name, context, parts)
    await started
    await postStart(container, created.id, context, parts)
    return undefined
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason
    if (error instanceof Failed) return error.failure
    throw error
  }
}

async function ensureImage(
  container: Container | EphemeralContainer,
  { pod, sandboxConfig, signal }: StartContext,
  { images, events, clock }: WorkerParts,
): Promise<UsableImage> {
  try {
    return await images.ensure(pod, container, sandboxConfig, signal)
  } catch (error) {
    if (!(error instanceof ImageError)) throw error
    const { reason, message } = error
    events.tell(pod, 'Warning', 'Failed', `Error: ${reason}`, container.name)
    const isPull = ['ErrImagePull', 'RegistryUnavailable', 'SignatureValidationFailed'].includes(reason)
    const shown = isPull ? clock.now() + SHOW_PULL_ERROR_MS : error.retryAt
    throw new Failed({ reason, message, retryAt: shown ?? clock.now() + RETRY_MS })
  }
}

/** References of the images that the container mounts, by volume. */
async function ensureVolumeImages(
  container: Container | EphemeralContainer,
  context: StartContext,
  parts: WorkerParts,
): Promise<Map<string, string>> {
  const references = new Map<string, string>()
  for (const [volume, { reference, pullPolicy }] of volumeImagesOf(context.pod, container as Container)) {
    const imagePullPolicy = pullPolicy as PullPolicy
    const wanted = { ...container, image: reference ?? '', imagePullPolicy }
    references.set(volume, (await ensureImage(wanted, context, parts)).ref)
  }
  return references
}

async function create(
  container: Container | EphemeralContainer,
  image: UsableImage,
  volumeImages: ReadonlyMap<string, string>,
  context: StartContext,
  parts: WorkerParts,
): Promise<Created> {
  const { pod, observed, sandboxId, sandboxConfig, podIPs, signal } = context
  const fail = failing(container.name, context, parts)
  const restartCount = await nextRestartCount(container.name, context, parts)
  const target = 'targetContainerName' in container ? container.targetContainerName : undefined
  const targetId = target ? newestOf(observed, target)?.id : undefined
  const { ref: imageRef, user: imageUser } = image
  const inputs = { pod, container, restartCount, podIPs, imageRef, imageUser, volumeImages }
  const configured = await containerConfig({ ...inputs, ...(targetId && { targetId }) }, parts).catch(
    fail('CreateContainerConfigError'),
  )
  for (const text of configured.skippedEnv) {
    parts.events.tell(pod, 'Warning', 'InvalidEnvironmentVariableNames', text, container.name)
  }
  const prepared = await parts.prepared.take(pod.metadata.uid, container.name, sandboxId, configured.config)
  const id = prepared ?? (await createAnew())
  parts.events.tell(pod, 'Normal', 'Created', 'Container created', container.name)
  return { id, wasPrepared: prepared !== undefined }

  async function createAnew() {
    await mkdir(join(podLogDir(parts.facts, pod), container.name), { recursive: true, mode: 0o755 })
    const request = { podSandboxId: sandboxId, config: configured.config, sandboxConfig }
    const creating = parts.runtime.createContainer(request, signal)
    // While the OCI runtime is at work the next ones can be begun.
    parts.prepared.lookAhead(container.name, context, parts, 2)
    return (await creating.catch(fail('CreateContainerError'))).containerId
  }
}

/** One more than the newest record's; without a record, than the highest log file's. */
async function nextRestartCount(
  name: string,
  { pod, observed }: StartContext,
  { facts, prepared }: WorkerParts,
): Promise<number> {
  const newest = newestOf(observed, name)
  if (newest) return newest.restartCount + 1
  if (prepared.has(pod.metadata.uid, name)) return 0
  const files = await readdir(join(podLogDir(facts, pod), name)).catch(() => [])
  const counts = files.flatMap(file => /^(\d+)\.log/.exec(file)?.[1] ?? []).map(Number)
  return counts.length > 0 ? Math.max(...counts) + 1 : 0
}

async function start(
  container: Container | EphemeralContainer,
  { id, wasPrepared }: Created,
  context: StartContext,
  parts: WorkerParts,
): Promise<void> {
  const fail = failing(container.name, context, parts)
  await parts.runtime.startContainer({ containerId: id }, context.signal).catch(async error => {
    if (wasPrepared) await parts.prepared.giveUp(id)
    return fail('RunContainerError')(error)
  })
  parts.events.tell(context.pod, 'Normal', 'Started', 'Container started', container.name)
}

/** The hook holds up everything after it. When it fails, the container is stopped again and its policy decides. */
async function postStart(
  container: Container | EphemeralContainer,
  containerId: string,
  { pod, podIPs, signal }: StartContext,
  parts: WorkerParts,
): Promise<void> {
  const handler = container.lifecycle?.postStart
  if (!handler) return
  const { name } = container
  const target = {
    pod,
    container: container as Container,
    containerId,
    podIP: podIPs[0],
    justStarted: true,
  }
  try {
    await parts.hooks.run(handler, target, 0, signal)
  } catch (error) {
    if (signal.aborted) throw error
    // What the hook said may hold secrets: only the pod's status shows it.
    parts.events.tell(pod, 'Warning', 'FailedPostStartHook', 'PostStartHook failed', name)
    const kill = { do: 'killContainer', name, id: containerId, message: 'FailedPostStartHook' } as const
    await killContainer({ ...kill, why: 'postStart' }, pod, podIPs[0], parts, signal).catch(failed => {
      if (signal.aborted) throw failed
      parts.log.warn({ error: failed, container: name }, 'a container whose hook failed could not be stopped')
    })
    throw new Failed({ reason: 'PostStartHookError', message: (error as Error).message })
  }
}

/** Tells the event and turns what was thrown into the failure the pod shows. */
function failing(name: string, { pod, signal }: StartContext, { events, clock }: WorkerParts) {
  return (reason: string) =>
    (error: unknown): never => {
      if (signal.aborted) throw signal.reason
      const message = runtimeErrorText(error)
      events.tell(pod, 'Warning', 'Failed', `Error: ${message}`, name)
      throw new Failed({ reason, message, retryAt: clock.now() + RETRY_MS })
    }
}
