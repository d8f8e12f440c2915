// What plugins add to the node. Each type has a handler; they are put together here.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Container, Pod, PodStatus } from '../../api/types/core-v1.ts'
import { aborted } from '../../base/aborted.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../../client/client.ts'
import { devicesOfStatus } from '../devices/device-health.ts'
import { devicePluginHandler, serveDeviceRegistration } from '../devices/device-registration.ts'
import { type DeviceAmounts, NodeDevices } from '../devices/node-devices.ts'
import { DraDrivers } from '../dra/dra-drivers.ts'
import { NodeClaims } from '../dra/node-claims.ts'
import { servePodResources } from '../pod-resources/serve-pod-resources.ts'
import type { FailWords } from '../pod-worker/worker-phase.ts'
import { additionsOf, type ContainerAdditions, NO_ADDITIONS } from './container-additions.ts'
import { devicePluginsDir, pluginsDir, pluginsRegistry, podResourcesDir } from './kubelet-folder.ts'
import { PLUGIN_TYPE } from './plugin-handler.ts'
import { PluginRegistry } from './plugin-registry.ts'
import type { PodPlugins } from './pod-plugins.ts'

const CHECKPOINT = 'kubelet_internal_checkpoint'
const CLAIMS = 'dra_manager_state'

export interface NodePluginsParts {
  /** DIR/kubelet */
  rootDir: string
  client: Client
  nodeName: string
  clock: Clock
  log: Log
  /** Pods that take something of the node: what others had may be given to them. */
  pods: () => readonly Pod[]
  /** With those that the API has no more, of which something may run still. */
  running: () => readonly Pod[]
  /** Writes the node's status anew. */
  reportNode: () => Promise<void>
  /** The pod's status may be another. */
  podChanged: (uid: string) => void
}

export class NodePlugins implements PodPlugins {
  readonly registry: PluginRegistry
  readonly #parts: NodePluginsParts
  readonly #devices: NodeDevices
  readonly #drivers: DraDrivers
  readonly #claims: NodeClaims
  readonly #podsKnown = Promise.withResolvers<void>()
  #arePodsKnown = false
  #reporting: 'no' | 'now' | 'again' = 'no'

  constructor(parts: NodePluginsParts) {
    this.#parts = parts
    const { rootDir, clock, log, podChanged } = parts
    this.registry = new PluginRegistry(parts)
    this.#devices = new NodeDevices({
      file: join(devicePluginsDir(rootDir), CHECKPOINT),
      clock,
      log,
      active: () => (this.#arePodsKnown ? uidsOf(parts.pods()) : undefined),
      offerChanged: () => void this.#report(),
      healthChanged: uids => {
        for (const uid of uids) podChanged(uid)
      },
    })
    this.#drivers = new DraDrivers(parts)
    this.#claims = new NodeClaims({ ...parts, drivers: this.#drivers, file: join(rootDir, CLAIMS) })
    this.registry.addHandler(PLUGIN_TYPE.device, devicePluginHandler(this.#devices))
    this.registry.addHandler(PLUGIN_TYPE.dra, this.#drivers)
  }

  /** What an earlier run knew: before any pod. */
  recover(): void {
    const { rootDir } = this.#parts
    // Manifests mount them with type Directory: they are there before the first Pod.
    for (const folder of [pluginsDir, pluginsRegistry, devicePluginsDir, podResourcesDir]) {
      mkdirSync(folder(rootDir), { recursive: true, mode: 0o755 })
    }
    this.#devices.recover()
    this.#claims.recover()
  }

  /** Every pod of the node has been seen, and what else runs here too: what others had is free. */
  podsKnown(): void {
    this.#arePodsKnown = true
    this.#podsKnown.resolve()
  }

  /** Until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { rootDir, pods } = this.#parts
    const servers = await Promise.all([
      serveDeviceRegistration(devicePluginsDir(rootDir), this.#devices),
      servePodResources(podResourcesDir(rootDir), {
        pods,
        devices: this.#devices,
        claimsOf: (pod, container) => this.#claims.claimsOfContainer(pod, container),
      }),
    ])
    this.#drivers.start()
    await Promise.all([this.registry.run(signal), this.#clearAway(signal), aborted(signal)])
    for (const server of servers) server.close()
    this.#devices.close()
    this.#drivers.close()
  }

  /** Claims of pods that have gone while there was no kubelet. */
  async #clearAway(signal: AbortSignal): Promise<void> {
    await Promise.race([this.#podsKnown.promise, aborted(signal)])
    const { running } = this.#parts
    if (!signal.aborted) await this.#claims.unprepareAllBut(() => uidsOf(running()), signal)
  }

  amounts(): DeviceAmounts {
    return this.#devices.amounts()
  }

  async admit(pod: Pod): Promise<FailWords | undefined> {
    try {
      await this.#devices.allocate(pod)
      return undefined
    } catch (error) {
      const text = `Allocate failed due to ${(error as Error).message}, which is unexpected`
      return { reason: 'UnexpectedAdmissionError', message: `Pod was rejected: ${text}` }
    }
  }

  prepare(pod: Pod): Promise<void> {
    return this.#claims.prepare(pod)
  }

  release(pod: Pod): Promise<void> {
    return this.#claims.unprepare(pod.metadata.uid)
  }

  concern(pod: Pod, container: Container): boolean {
    return this.#devices.concerns(container) || this.#claims.concerns(pod, container)
  }

  async additionsFor(pod: Pod, container: Container): Promise<ContainerAdditions> {
    if (!this.concern(pod, container)) return NO_ADDITIONS
    const given = await this.#devices.forStart(pod, container)
    return additionsOf(
      given.map(({ allocation }) => allocation),
      this.#claims.cdiDevicesFor(pod, container),
      this.#parts.rootDir,
    )
  }

  withHealth(pod: Pod, status: PodStatus): PodStatus {
    let isOther = false
    const containerStatuses = status.containerStatuses?.map(one => {
      const container = pod.spec.containers.find(({ name }) => name === one.name)
      const claimed = container ? this.#claims.healthOf(pod, container) : []
      const allocatedResourcesStatus = [...devicesOfStatus(pod, one, this.#devices), ...claimed]
      if (allocatedResourcesStatus.length === 0) return one
      isOther = true
      return { ...one, allocatedResourcesStatus }
    })
    return isOther ? { ...status, containerStatuses: containerStatuses! } : status
  }

  /** One report at a time, and one more when something has changed meanwhile. */
  async #report(): Promise<void> {
    if (this.#reporting !== 'no') {
      this.#reporting = 'again'
      return
    }
    do {
      this.#reporting = 'now'
      await this.#parts.reportNode().catch(error => {
        this.#parts.log.warn({ error }, 'the node status could not be written')
      })
    } while ((this.#reporting as string) === 'again')
    this.#reporting = 'no'
  }
}

const uidsOf = (pods: readonly Pod[]): Set<string> => new Set(pods.map(({ metadata }) => metadata.uid))
