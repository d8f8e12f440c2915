// Makes sure that a container's image is there before it is created, by its pull policy. Failed pulls back off per
// pod and image, 10 to 300 s. Upstream: pkg/kubelet/images/image_manager.go.

import { goDuration } from '../../api/duration.ts'
import type { Container, EphemeralContainer, Pod } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Image, ImageService, PodSandboxConfig } from '../../runtime/cri/cri.generated.ts'
import type { ObjectSource } from '../containers/object-source.ts'
import type { ImageUser } from '../containers/security-context.ts'
import type { PodEvents } from '../pod-events.ts'
import { nextBackOff } from '../pod-worker/crash-back-off.ts'
import type { BackOffEntry } from '../pod-worker/observed-pod.ts'
import { runtimeErrorText } from '../runtime-view/runtime-error-text.ts'
import { type PullCredentials, pullCredentials } from './credentials.ts'
import { withDefaultTag } from './image-name.ts'
import { pullFailure } from './pull-failure.ts'
import type { PulledImages } from './pulled-images.ts'
import { RecentImages } from './recent-images.ts'

/** The image is not to be had now. `reason` and message show on the waiting container; `retryAt` is epoch ms. */
export class ImageError extends Error {
  readonly reason: string
  readonly retryAt: number | undefined

  constructor(reason: string, message: string, retryAt?: number) {
    super(message)
    this.name = 'ImageError'
    this.reason = reason
    this.retryAt = retryAt
  }
}

export interface UsableImage {
  /** For the runtime's create request. */
  ref: string
  user: ImageUser
}

interface PullBackOff extends BackOffEntry {
  failedAt: number
  lastError: string
}

interface PullerParts {
  images: ImageService
  source: ObjectSource
  clock: Clock
  events: PodEvents
  /** Pulls at the same time. */
  parallel: number
  pulled: PulledImages
}

export class ImagePuller {
  readonly #parts: PullerParts
  readonly #recent: RecentImages
  readonly #backOffs = new Map<string, PullBackOff>()
  /** Pulls of the same image by several pods are one. */
  readonly #pulling = new Map<string, Promise<string>>()
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(parts: PullerParts) {
    this.#parts = parts
    this.#recent = new RecentImages(parts.clock)
    this.#free = parts.parallel
  }

  /** Throws ImageError. Tells the events of section 4.3. */
  async ensure(
    pod: Pod,
    container: Container | EphemeralContainer,
    sandbox: PodSandboxConfig,
    signal: AbortSignal,
  ): Promise<UsableImage> {
    const spec = container.image ?? ''
    const image = this.#named(pod, container.name, spec)
    const policy = container.imagePullPolicy ?? (/:latest$/.test(image) ? 'Always' : 'IfNotPresent')
    const recent = policy === 'IfNotPresent' && this.#recent.find(pod.metadata.uid, image)
    const present = recent || (await this.#find(pod, container.name, image))
    const guarded =
      present && policy !== 'Always' && (await this.#isBarred(pod, image, present, container.name))
    if (policy === 'Never' || (present && !guarded && policy === 'IfNotPresent')) {
      return this.#usePresent(pod, container.name, spec, present, guarded)
    }
    this.#checkBackOff(pod, container.name, spec)
    return this.#pull(pod, container.name, spec, image, sandbox, signal)
  }

  /** The image as it is on the node, if the container may use it without asking its registry. Tells no event. */
  async present(pod: Pod, { image = '', imagePullPolicy }: Container): Promise<UsableImage | undefined> {
    if (imagePullPolicy !== 'IfNotPresent' && imagePullPolicy !== 'Never') return undefined
    const name = withDefaultTag(image)
    const found = this.#recent.find(pod.metadata.uid, name) ?? (await this.#status(pod, name))
    // Who may use a guarded image is found out when it is the container's turn.
    if (!found || this.#parts.pulled.mustPull(name, found.id, [])) return undefined
    return usable(found)
  }

  async #status(pod: Pod, image: string): Promise<Image | undefined> {
    const found = (await this.#parts.images.imageStatus({ image: { image }, verbose: false })).image
    if (found) this.#recent.seen(pod.metadata.uid, image, found)
    return found
  }

  /** At the start: records of images that are gone are dropped. */
  async forgetLostImages(): Promise<void> {
    const { images } = await this.#parts.images.listImages({})
    this.#parts.pulled.keepOnly(new Set(images.map(({ id }) => id)))
  }

  /** The pod is gone: its back-offs are not needed any more. */
  forget(uid: string): void {
    this.#recent.forget(uid)
    for (const key of this.#backOffs.keys()) if (key.startsWith(`${uid}_`)) this.#backOffs.delete(key)
  }

  #named(pod: Pod, name: string, spec: string): string {
    try {
      return withDefaultTag(spec)
    } catch (error) {
      const message = `Failed to apply default image tag "${spec}": ${(error as Error).message}`
      this.#parts.events.tell(pod, 'Warning', 'InspectFailed', message, name)
      throw new ImageError('InvalidImageName', message)
    }
  }

  async #find(pod: Pod, name: string, image: string): Promise<Image | undefined> {
    try {
      return await this.#status(pod, image)
    } catch (error) {
      const message = `Failed to inspect image "": ${(error as Error).message}`
      this.#parts.events.tell(pod, 'Warning', 'InspectFailed', message, name)
      throw new ImageError('ImageInspectError', message)
    }
  }

  /** Present, but brought by another Pod's secret. */
  async #isBarred(pod: Pod, image: string, present: Image, name: string): Promise<boolean> {
    const { pulled } = this.#parts
    if (!pulled.isGuarded(image, present.id) || !pulled.mustPull(image, present.id, [])) return false
    const { found } = await this.#credentials(pod, image, name)
    const secrets = found.map(({ secret }) => secret)
    return pulled.mustPull(image, present.id, secrets)
  }

  #usePresent(
    pod: Pod,
    name: string,
    spec: string,
    present: Image | undefined,
    barred: boolean | undefined,
  ): UsableImage {
    if (!present || barred) {
      const message = present
        ? `Container image "${spec}" is present with pull policy of Never but does not have the proper auth (image secret) that was used to pull the image`
        : `Container image "${spec}" is not present with pull policy of Never`
      this.#parts.events.tell(pod, 'Warning', 'ErrImageNeverPull', message, name)
      throw new ImageError('ErrImageNeverPull', message)
    }
    const message = `Container image "${spec}" already present on machine and can be accessed by the pod`
    this.#parts.events.tell(pod, 'Normal', 'Pulled', message, name)
    return usable(present)
  }

  #checkBackOff(pod: Pod, name: string, spec: string): void {
    const entry = this.#backOffs.get(keyOf(pod, spec))
    const until = entry ? entry.failedAt + entry.durationMs : 0
    if (!entry || this.#parts.clock.now() >= until) return
    this.#parts.events.tell(pod, 'Normal', 'BackOff', `Back-off pulling image "${spec}"`, name)
    throw new ImageError('ImagePullBackOff', `Back-off pulling image "${spec}": ${entry.lastError}`, until)
  }

  async #pull(
    pod: Pod,
    name: string,
    spec: string,
    image: string,
    sandbox: PodSandboxConfig,
    signal: AbortSignal,
  ): Promise<UsableImage> {
    const { events, clock } = this.#parts
    const asked = clock.now()
    await this.#acquire()
    const started = clock.now()
    try {
      events.tell(pod, 'Normal', 'Pulling', `Pulling image "${spec}"`, name)
      const ref = await this.#pullOnce(pod, name, spec, image, sandbox, signal)
      this.#backOffs.delete(keyOf(pod, spec))
      const found = (await this.#parts.images.imageStatus({ image: { image: ref }, verbose: false })).image
      const took = goDuration(clock.now() - started)
      const waited = goDuration(clock.now() - asked)
      const text = `Successfully pulled image "${spec}" in ${took} (${waited} including waiting). Image size: ${found?.size ?? 0} bytes.`
      events.tell(pod, 'Normal', 'Pulled', text, name)
      return found ? { ...usable(found), ref } : { ref, user: { username: '' } }
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw this.#failed(pod, name, spec, error)
    } finally {
      this.#release()
    }
  }

  #failed(pod: Pod, name: string, spec: string, error: unknown): ImageError {
    const { reason, message } = pullFailure(spec, error)
    const now = this.#parts.clock.now()
    const key = keyOf(pod, spec)
    const entry = nextBackOff(this.#backOffs.get(key), now, now)
    this.#backOffs.set(key, { ...entry, failedAt: now, lastError: `${reason}: ${message}` })
    this.#parts.events.tell(
      pod,
      'Warning',
      'Failed',
      `Failed to pull image "${spec}": ${runtimeErrorText(error)}`,
      name,
    )
    return new ImageError(reason, message, now + entry.durationMs)
  }

  /** Credentials are tried in turn; without any, the pull is anonymous. */
  async #pullOnce(
    pod: Pod,
    name: string,
    spec: string,
    image: string,
    sandboxConfig: PodSandboxConfig,
    signal: AbortSignal,
  ): Promise<string> {
    const { images, pulled } = this.#parts
    const { found } = await this.#credentials(pod, image, name)
    const request = { image: { image, userSpecifiedImage: spec }, sandboxConfig }
    if (found.length === 0) {
      const anonymous = () => pulled.during(image, () => images.pullImage(request, signal))
      return this.#shared(image, anonymous, signal)
    }
    return pulled.during(image, async () => {
      let last: unknown
      for (const { auth, secret } of found) {
        try {
          const { imageRef } = await images.pullImage({ ...request, auth }, signal)
          return { imageRef, secret }
        } catch (error) {
          last = error
        }
      }
      throw last
    })
  }

  async #credentials(pod: Pod, image: string, name: string): Promise<PullCredentials> {
    const credentials = await pullCredentials(pod, image, this.#parts.source)
    if (credentials.missing.length > 0) {
      const message = `Unable to retrieve some image pull secrets (${credentials.missing.join(', ')}); attempting to pull the image may not succeed.`
      this.#parts.events.tell(pod, 'Warning', 'FailedToRetrieveImagePullSecret', message, name)
    }
    return credentials
  }

  async #shared(image: string, pull: () => Promise<string>, signal: AbortSignal): Promise<string> {
    const running = this.#pulling.get(image)
    // Another pod's pull may have been cancelled with that pod: then this one pulls for itself.
    if (running) {
      const ref = await running.catch(() => undefined)
      if (ref !== undefined) return ref
      signal.throwIfAborted()
    }
    const mine = pull()
    this.#pulling.set(image, mine)
    try {
      return await mine
    } finally {
      if (this.#pulling.get(image) === mine) this.#pulling.delete(image)
    }
  }

  async #acquire(): Promise<void> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}

const keyOf = (pod: Pod, image: string) => `${pod.metadata.uid}_${image}`

const usable = ({ id, uid, username }: Image): UsableImage => ({
  ref: id,
  user: { username, ...(uid?.value !== undefined && { uid: uid.value }) },
})
