// Binds a Pod to the node that was found for it: its volumes first, then itself. It takes no part in the choice.
// Upstream: bindingCycle in schedule_one.go; Reserve and PreBind of the VolumeBinding plugin.
import { pods as podResource } from '../api/resources.ts'
import type { Pod } from '../api/types/core-v1.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import type { EventsV1Recorder } from '../client/events/events-v1-recorder.ts'
import type { ClusterWatch } from './cluster-watch.ts'
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

export class Binder {
  readonly #parts: BinderParts

  constructor(parts: BinderParts) {
    this.#parts = parts
  }

  /** From now on the volumes that the Pod is to get count as taken, until they are forgotten. */
  assumeVolumes(pod: Pod, nodeName: string): AssumedPlan | undefined {
    const { cache, watch } = this.#parts
    const { volumes } = watch
    const node = cache.findNode(nodeName)
    if (!node || !pod.spec.volumes?.some(volume => volume.persistentVolumeClaim ?? volume.ephemeral))
      return undefined
    const { plan } = planVolumes(podClaims(pod, volumes), node.node, volumes)
    return plan && plan.matches.length + plan.provisions.length > 0
      ? volumes.assume(plan, nodeName)
      : undefined
  }

  forgetVolumes(plan: AssumedPlan): void {
    this.#parts.watch.volumes.forget(plan)
  }

  /** Rejects when a volume or the Pod itself could not be bound. */
  async bind(pod: Pod, node: string, plan: AssumedPlan | undefined): Promise<void> {
    const { client, recorder } = this.#parts
    const { name, namespace, uid } = pod.metadata
    const metadata = { name, namespace, uid }
    const body = { apiVersion: 'v1', kind: 'Binding', metadata, target: { kind: 'Node', name: node } }
    if (plan) await this.#bindVolumes(pod, node, plan)
    await client.createSubresource(podResource, { name, namespace: namespace! }, 'binding', body)
    const note = `Successfully assigned ${namespace}/${name} to ${node}`
    recorder.event(pod, undefined, 'Normal', 'Scheduled', 'Binding', note)
  }

  /** May take long: where the Pod is to go is told before (feature NominatedNodeNameForExpectation). */
  async #bindVolumes(pod: Pod, node: string, plan: AssumedPlan): Promise<void> {
    const { client, clock, watch, inBackground } = this.#parts
    inBackground(writePodStatus(pod, { nominatedNode: node }, this.#parts))
    const change = () => watch.volumeChange()
    await bindVolumes(pod, plan, { client, clock, volumes: watch.writtenVolumes, change })
  }
}
