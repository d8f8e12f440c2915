// Binds a Pod to the node that was found for it: its volumes and devices first, then itself. It takes no part in the
// choice. Upstream: bindingCycle in schedule_one.go; Reserve and PreBind of the VolumeBinding and DynamicResources plugins.
import { pods as podResource } from '../api/resources.ts'
import type { Node, Pod } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import type { EventsV1Recorder } from '../client/events/events-v1-recorder.ts'
import type { ClusterWatch } from './cluster-watch.ts'
import { type AssumedDevices, DeviceBinder } from './devices/device-binder.ts'
import { type Freed, freeDevices } from './devices/free-devices.ts'
import type { Nowhere } from './schedule-one.ts'
import type { NodeCache } from './state/node-cache.ts'
import type { AssumedPlan } from './volumes/assumed-volumes.ts'
import { bindVolumes } from './volumes/bind-volumes.ts'
import { planVolumes } from './volumes/plan-volumes.ts'
import { podClaims } from './volumes/pod-claims.ts'
import { writePodStatus } from './write-pod-status.ts'

export interface BinderParts {
  client: Client
  clock: Clock
  log: Log
  recorder: EventsV1Recorder
  watch: ClusterWatch
  cache: NodeCache
  /** Takes work that nobody waits for but the end. */
  inBackground: (work: Promise<void>) => void
}

/** What counts as the Pod's until the API says so, or it is given up. */
export interface Assumed {
  volumes?: AssumedPlan | undefined
  devices?: AssumedDevices | undefined
}

export class Binder {
  readonly #parts: BinderParts
  readonly #devices: DeviceBinder

  constructor(parts: BinderParts) {
    const { watch } = parts
    this.#parts = parts
    this.#devices = new DeviceBinder({
      ...parts,
      devices: watch.devices,
      change: () => watch.deviceClaimChange(),
    })
  }

  /** From now on what the Pod is to get counts as taken, until it is forgotten. */
  assume(pod: Pod, nodeName: string): Assumed {
    const node = this.#parts.cache.findNode(nodeName)
    if (!node) return {}
    const devices = this.#devices.assume(pod, node)
    return { volumes: this.#assumeVolumes(pod, node.node), devices }
  }

  /** Some of a waiting Pod's own devices may be in its way. Never waits for the API. */
  freeDevices(pod: Pod, nowhere: Nowhere, random: () => number): Freed {
    const { watch, inBackground } = this.#parts
    const freed = freeDevices(pod, nowhere, watch.devices, random)
    if (freed.claim) inBackground(this.#devices.free(freed.claim))
    if (freed.extended) inBackground(this.#devices.remove(freed.extended))
    return freed
  }

  #assumeVolumes(pod: Pod, node: Node): AssumedPlan | undefined {
    const { volumes } = this.#parts.watch
    if (!pod.spec.volumes?.some(volume => volume.persistentVolumeClaim ?? volume.ephemeral)) return undefined
    const { plan } = planVolumes(podClaims(pod, volumes), node, volumes)
    return plan && plan.matches.length + plan.provisions.length > 0
      ? volumes.assume(plan, node.metadata.name)
      : undefined
  }

  forget({ volumes, devices }: Assumed): void {
    if (volumes) this.#parts.watch.volumes.forget(volumes)
    if (devices) this.#devices.forget(devices)
  }

  /** The Pod is not bound after all. Never rejects. */
  async giveUp(pod: Pod, { devices }: Assumed): Promise<void> {
    if (devices) await this.#devices.unreserve(pod, devices)
  }

  /** Rejects when a volume, a device or the Pod itself could not be bound. */
  async bind(pod: Pod, node: string, { volumes, devices }: Assumed): Promise<void> {
    const { client, recorder, inBackground } = this.#parts
    const { name, namespace, uid } = pod.metadata
    const metadata = { name, namespace, uid }
    const body = { apiVersion: 'v1', kind: 'Binding', metadata, target: { kind: 'Node', name: node } }
    // Both may take long: where the Pod is to go is told before (feature NominatedNodeNameForExpectation).
    if (volumes ?? devices) inBackground(writePodStatus(pod, { nominatedNode: node }, this.#parts))
    if (volumes) await this.#bindVolumes(pod, volumes)
    if (devices) await this.#devices.bind(pod, node, devices)
    await client.createSubresource(podResource, { name, namespace: namespace! }, 'binding', body)
    const note = `Successfully assigned ${namespace}/${name} to ${node}`
    recorder.event(pod, undefined, 'Normal', 'Scheduled', 'Binding', note)
  }

  async #bindVolumes(pod: Pod, plan: AssumedPlan): Promise<void> {
    const { client, clock, watch } = this.#parts
    const change = () => watch.volumeChange()
    await bindVolumes(pod, plan, { client, clock, volumes: watch.writtenVolumes, change })
  }
}
