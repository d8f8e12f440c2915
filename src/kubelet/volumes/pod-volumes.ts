// A node's pods' volumes: set up before the first container starts, kept current while the pod lives, removed at its
// end. Failures are told as FailedMount events and tried again with back-off; the worker only asks «are they there?».
import { rm } from 'node:fs/promises'
import type { Container, Node, Pod, Volume } from '../../api/types/core-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Device, Mount } from '../../runtime/cri/cri.generated.ts'
import { ConfigError } from '../containers/config-error.ts'
import type { PodEvents } from '../pod-events.ts'
import { podDir } from '../pod-paths.ts'
import type { DiskFigures } from '../stats/summary.ts'
import { unmapBlockVolumes } from './block-volume.ts'
import { podMountsDir } from './csi/csi-paths.ts'
import { volumeFigures } from './csi/volume-figures.ts'
import { findPlugin } from './find-plugin.ts'
import { localVolumesOf, unmountUnused } from './local-volume.ts'
import { ObjectFollower } from './object-follower.ts'
import { mountsUnder } from './remove-mounts.ts'
import { readFileInside } from './safe-sub-path.ts'
import { SourceVersions } from './source-versions.ts'
import { VolumeAwaited, VolumeFailure } from './volume-failure.ts'
import { volumeMounts } from './volume-mounts.ts'
import type { ReadyVolume, VolumeParts, VolumeReference } from './volume-plugin.ts'
import { volumeUses } from './volume-uses.ts'

const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 122_000
/** What is not attached by then is told. Upstream: podAttachAndMountTimeout. */
const AWAITED_MS = 123_000
const ORPHAN_RETRY_MS = 1_000
const ORPHAN_RETRY_MAX_MS = 30_000

export type VolumesState = { state: 'ready' } | { state: 'waiting'; retryAt: number }

interface VolumeRecord {
  ready?: ReadyVolume
  failures: number
  retryAt: number
  /** Since when others are waited for. */
  awaitedSince?: number
  /** The pod changed since the last set-up. */
  stale: boolean
  /** Of the objects that it shows. */
  sources: SourceVersions
  followed: boolean
}

interface PodRecord {
  pod: Pod
  podIPs: readonly string[]
  volumes: Map<string, VolumeRecord>
  ending: AbortController
  follower: ObjectFollower
}

export interface PodVolumesParts extends VolumeParts {
  clock: Clock
  log: Log
  events: PodEvents
  /** Called when a pod's volumes may have become ready, or their sources changed. */
  changed: (uid: string) => void
  /** Ends every pod's watches when the kubelet stops. */
  signal: AbortSignal
}

export class PodVolumes {
  readonly #parts: PodVolumesParts
  readonly #pods = new Map<string, PodRecord>()
  /** The node's attached volumes as last seen. */
  #attached = ''

  constructor(parts: PodVolumesParts) {
    this.#parts = parts
  }

  /** Sets up what is not set up yet, or has changed. Never throws: what fails is told and tried again later. */
  async setUp(pod: Pod, podIPs: readonly string[]): Promise<VolumesState> {
    const record = this.#record(pod)
    this.#noticePod(record, pod, podIPs)
    const volumes = usedVolumes(pod)
    await Promise.all(volumes.map(volume => this.#setUpOne(record, volume)))
    const missing = volumes.map(({ name }) => record.volumes.get(name)!).filter(({ ready }) => !ready)
    if (missing.length === 0) return { state: 'ready' }
    return { state: 'waiting', retryAt: Math.min(...missing.map(({ retryAt }) => retryAt)) }
  }

  /** When something of the pod has to be set up again: token refresh or a retry. */
  nextAt(uid: string): number | undefined {
    const times = [...(this.#pods.get(uid)?.volumes.values() ?? [])].flatMap(
      ({ ready, retryAt, failures, awaitedSince }) =>
        failures > 0 || awaitedSince !== undefined
          ? [retryAt]
          : ready?.refreshAt !== undefined
            ? [ready.refreshAt]
            : [],
    )
    return times.length > 0 ? Math.min(...times) : undefined
  }

  /**
   * The container's volumeMounts for the runtime; `images` are those that it mounts, by volume. Throws ConfigError with
   * upstream's texts.
   */
  mountsOf(
    pod: Pod,
    container: Container,
    env: (name: string) => string | undefined,
    images: ReadonlyMap<string, string> = new Map(),
  ): Promise<Mount[]> {
    const volumes = this.#pods.get(pod.metadata.uid)?.volumes
    const readyOf = (volume: string) => volumes?.get(volume)?.ready
    return volumeMounts({ pod, container, env, images, readyOf }, this.#parts)
  }

  /** Where a volume's files are; undefined before they are there, and for those that have no place of their own. */
  pathOf(uid: string, volume: string): string | undefined {
    const ready = this.#pods.get(uid)?.volumes.get(volume)?.ready
    return ready && !ready.isDevice && ready.hostPath !== '' ? ready.hostPath : undefined
  }

  /** What a CSI driver says of a volume of its own. */
  async driverFigures(uid: string, volume: string): Promise<Partial<DiskFigures> | undefined> {
    const path = this.pathOf(uid, volume)
    const usage = path === undefined ? undefined : await this.#parts.csi.stats(uid, path)
    return usage && volumeFigures(usage)
  }

  /** A file of one of the pod's volumes; undefined when it is not there. Links out of the volume are not followed. */
  async readFile(pod: Pod, volume: string, path: string): Promise<string | undefined> {
    const ready = this.#pods.get(pod.metadata.uid)?.volumes.get(volume)?.ready
    if (!ready) throw new ConfigError(`cannot find the volume "${volume}" referenced by FileKeyRef`)
    return readFileInside(ready.hostPath, path)
  }

  /** The container's volumeDevices for the runtime. Throws ConfigError. Upstream: makeBlockVolumes. */
  devicesOf(pod: Pod, container: Container): Device[] {
    return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
      if (!devicePath.startsWith('/'))
        throw new ConfigError(`error DevicePath \`${devicePath}\` must be an absolute path`)
      const ready = this.#pods.get(pod.metadata.uid)?.volumes.get(name)?.ready
      if (!ready?.isDevice)
        throw new ConfigError(`cannot find volume "${name}" to pass into container "${container.name}"`)
      return {
        hostPath: ready.hostPath,
        containerPath: devicePath,
        permissions: ready.readOnly ? 'r' : 'mrw',
      }
    })
  }

  /** Attachable volumes in use, for the node's status. */
  inUse(): string[] {
    return this.#parts.csi.inUse()
  }

  /** Volumes that wait to be attached are tried again when others have been attached or detached. */
  nodeSeen({ status }: Node): void {
    const attached = (status.volumesAttached ?? []).map(({ name }) => name).join(' ')
    if (attached === this.#attached) return
    this.#attached = attached
    this.#tryAgain(({ awaitedSince }) => awaitedSince !== undefined)
  }

  /** A CSI driver can be used from now on. */
  driverRegistered(driver: string): void {
    this.#tryAgain(({ ready, failures }) => !ready && failures > 0)
    this.#parts.csi
      .clearLeftovers(driver)
      .catch(error => this.#parts.log.warn({ driver, error }, 'a volume that nobody uses is still staged'))
  }

  #tryAgain(isMeant: (record: VolumeRecord) => boolean): void {
    for (const [uid, { volumes }] of this.#pods) {
      const meant = [...volumes.values()].filter(isMeant)
      for (const record of meant) record.retryAt = 0
      if (meant.length > 0) this.#parts.changed(uid)
    }
  }

  /** The same for a pod that nobody looks after: what is still there then is tried again until the kubelet stops. */
  async tearDownOrphan(uid: string): Promise<void> {
    const { clock, log, signal } = this.#parts
    const tried = async () => {
      try {
        await this.tearDown(uid)
        return true
      } catch (error) {
        log.warn({ uid, error }, 'volumes of a pod that is gone are still there')
        return false
      }
    }
    const goOn = async () => {
      for (let delay = ORPHAN_RETRY_MS; !signal.aborted; delay = Math.min(delay * 2, ORPHAN_RETRY_MAX_MS)) {
        await clock.sleep(delay, signal).catch(() => {})
        if (signal.aborted || (await tried())) return
      }
    }
    if (!(await tried())) void goOn()
  }

  /**
   * Unmounts and removes everything of the pod. Idempotent; also for pods of an earlier run. Throws, and has removed no
   * file, when something of it cannot be taken down yet.
   */
  async tearDown(uid: string): Promise<void> {
    const record = this.#pods.get(uid)
    record?.ending.abort()
    this.#pods.delete(uid)
    this.#parts.tokens.forget(uid)
    const { facts, mounter, csi } = this.#parts
    const dir = podDir(facts, uid)
    const targets = mountsUnder(dir)
    const isDrivers = (target: string) => target.startsWith(`${podMountsDir(facts, uid)}/`)
    for (const target of targets.toReversed()) if (!isDrivers(target)) mounter.unmount(target)
    unmountUnused(localVolumesOf(dir, targets), this.#parts)
    unmapBlockVolumes(uid, this.#parts)
    await csi.tearDown(uid)
    // Of a driver's volume of which nothing is known any more.
    for (const target of targets.filter(isDrivers).toReversed()) mounter.unmount(target)
    await rm(dir, { recursive: true, force: true })
  }

  #record(pod: Pod): PodRecord {
    const { uid, namespace = '' } = pod.metadata
    const known = this.#pods.get(uid)
    if (known) return known
    const ending = new AbortController()
    const { client, clock, log, signal } = this.#parts
    const follower = new ObjectFollower({
      client,
      clock,
      log,
      namespace,
      signal: AbortSignal.any([ending.signal, signal]),
    })
    const record: PodRecord = { pod, podIPs: [], volumes: new Map(), ending, follower }
    this.#pods.set(uid, record)
    return record
  }

  /** Downward API files follow the pod's metadata. */
  #noticePod(record: PodRecord, pod: Pod, podIPs: readonly string[]): void {
    const before = JSON.stringify([
      record.pod.metadata.labels,
      record.pod.metadata.annotations,
      record.podIPs,
    ])
    const after = JSON.stringify([pod.metadata.labels, pod.metadata.annotations, podIPs])
    record.pod = pod
    record.podIPs = podIPs
    if (before === after) return
    for (const volume of pod.spec.volumes ?? []) {
      const known = record.volumes.get(volume.name)
      if (known && findPlugin(volume).followsPod?.(volume)) known.stale = true
    }
  }

  async #setUpOne(record: PodRecord, volume: Volume): Promise<void> {
    const { clock } = this.#parts
    const known: VolumeRecord = record.volumes.get(volume.name) ?? {
      failures: 0,
      retryAt: 0,
      stale: false,
      sources: new SourceVersions(),
      followed: false,
    }
    record.volumes.set(volume.name, known)
    if (!isDue(known, clock.now())) return
    known.stale = false
    const plugin = findPlugin(volume)
    this.#follow(record, known, plugin.references?.(volume) ?? [])
    try {
      const context = { pod: record.pod, volume, podIPs: record.podIPs, now: clock.now() }
      const parts = { ...this.#parts, source: known.sources.recorded(this.#parts.source) }
      known.ready =
        known.ready && plugin.refresh
          ? await plugin.refresh(known.ready, context, parts)
          : await plugin.setUp(context, parts)
      known.failures = 0
      known.retryAt = 0
      delete known.awaitedSince
    } catch (error) {
      if (error instanceof VolumeAwaited) return this.#wait(record.pod, volume, known)
      delete known.awaitedSince
      const delay = Math.min(FIRST_RETRY_MS * 2 ** known.failures++, MAX_RETRY_MS)
      known.retryAt = clock.now() + delay
      if (!(known.ready && plugin.refresh)) this.#tellFailure(record.pod, volume, error)
    }
  }

  /** Told when it takes too long. */
  #wait(pod: Pod, { name }: Volume, known: VolumeRecord): void {
    const now = this.#parts.clock.now()
    known.failures = 0
    known.awaitedSince ??= now
    if (now >= known.awaitedSince + AWAITED_MS) {
      known.awaitedSince = now
      const text = `Unable to attach or mount volumes: unmounted volumes=[${name}], unattached volumes=[${name}], failed to process volumes=[]: context deadline exceeded`
      this.#parts.events.tell(pod, 'Warning', 'FailedMount', text)
    }
    known.retryAt = known.awaitedSince + AWAITED_MS
  }

  #tellFailure(pod: Pod, { name }: Volume, error: unknown): void {
    if (error instanceof VolumeFailure) {
      this.#parts.events.tell(pod, 'Warning', error.reason, error.message)
      return
    }
    const message = `MountVolume.SetUp failed for volume "${name}" : ${(error as Error).message}`
    this.#parts.events.tell(pod, 'Warning', 'FailedMount', message)
  }

  #follow(record: PodRecord, known: VolumeRecord, references: readonly VolumeReference[]): void {
    if (known.followed) return
    known.followed = true
    for (const reference of references) {
      record.follower.follow(reference, version => {
        known.sources.seen(reference, version)
        known.retryAt = 0
        if (!known.ready || known.sources.areOld) this.#parts.changed(record.pod.metadata.uid)
      })
    }
  }
}

function isDue({ ready, stale, sources, retryAt }: VolumeRecord, now: number): boolean {
  const due = !ready || stale || sources.areOld || (ready.refreshAt ?? Number.POSITIVE_INFINITY) <= now
  return due && now >= retryAt
}

/** Only volumes that some container uses are set up (upstream: desired_state_of_world_populator). */
function usedVolumes(pod: Pod): Volume[] {
  const { mounted, devices, read } = volumeUses(pod)
  return (pod.spec.volumes ?? []).filter(
    ({ name }) => mounted.has(name) || devices.has(name) || read.has(name),
  )
}
