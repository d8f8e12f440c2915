// Deletes Pods whose devices have a NoExecute taint that their claims do not tolerate, or no longer.
// Upstream: pkg/controller/devicetainteviction (KEP-5055).
import { withDisruptionTarget } from '../../api/pod/pod-condition.ts'
import { pods as podResource, resourceClaims, resourceSlices } from '../../api/resources.ts'
import { isNotFound } from '../../api/status-error.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type {
  DeviceRequestAllocationResult,
  DeviceTaint,
  ResourceClaim,
  ResourceSlice,
} from '../../api/types/resource-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { evictionTime } from './eviction-time.ts'

const REASON = 'DeviceTaintManagerEviction'
const POOL = 'pool'

export class DeviceTaintEvictionController {
  readonly #context: ControllerContext
  readonly #recorder: EventRecorder
  /** Pods to be judged. */
  readonly #queue: WorkQueue<string>
  readonly #pods: Informer<Pod>
  readonly #claims: Informer<ResourceClaim>
  readonly #slices: Informer<ResourceSlice>
  /** Pods that are to go later. */
  readonly #scheduled = new Set<string>()

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    const parts = { client, clock, log }
    this.#context = context
    this.#recorder = new EventRecorder({ ...parts, component: 'device-taint-eviction' })
    this.#queue = new WorkQueue({ clock })
    this.#pods = new Informer({ ...parts, resource: podResource })
    this.#claims = new Informer({
      ...parts,
      resource: resourceClaims,
      indexers: { [POOL]: poolsOf },
    })
    const indexers = { [POOL]: ({ spec }: ResourceSlice) => [`${spec.driver}/${spec.pool.name}`] }
    this.#slices = new Informer({ ...parts, resource: resourceSlices, indexers })
    this.#listen()
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#pods, this.#claims, this.#slices]
    const reconcile = (key: string) => this.#reconcile(key)
    await runController({ informers, queue: this.#queue, reconcile, signal, log: this.#context.log })
  }

  #listen(): void {
    const podChanged = (pod: Pod) => this.#queue.add(keyOf(pod))
    this.#pods.addHandler({ add: podChanged, update: (_, pod) => podChanged(pod), delete: podChanged })
    const claimChanged = (claim: ResourceClaim) => this.#usersOf(claim)
    this.#claims.addHandler({
      add: claimChanged,
      update: (old, claim) => {
        claimChanged(old)
        claimChanged(claim)
      },
      delete: claimChanged,
    })
    const sliceChanged = ({ spec }: ResourceSlice) => {
      const claims = this.#claims.lister.byIndex(POOL, `${spec.driver}/${spec.pool.name}`)
      for (const claim of claims) this.#usersOf(claim)
    }
    this.#slices.addHandler({
      add: sliceChanged,
      update: (_, slice) => sliceChanged(slice),
      delete: sliceChanged,
    })
  }

  #usersOf({ metadata, status }: ResourceClaim): void {
    for (const { name, resource, apiGroup } of status.reservedFor ?? [])
      if (resource === 'pods' && !apiGroup) this.#queue.add(`${metadata.namespace}/${name}`)
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const pod = this.#pods.lister.findByKey(key)
    if (!pod || pod.metadata.deletionTimestamp) {
      this.#scheduled.delete(key)
      return undefined
    }
    const claims = this.#claims.lister.list(pod.metadata.namespace)
    const due = evictionTime(pod, claims, device => this.#taintsOf(device))
    if (due === undefined) {
      if (this.#scheduled.delete(key)) this.#recorder.event(pod, 'Normal', REASON, 'Cancelling deletion')
      return undefined
    }
    const now = this.#context.clock.now()
    if (due > now) {
      this.#scheduled.add(key)
      return { requeueAfterMs: due - now }
    }
    this.#scheduled.delete(key)
    await this.#evict(pod)
    return undefined
  }

  /** Only the newest generation of a pool tells of its devices. */
  #taintsOf({ driver, pool, device }: DeviceRequestAllocationResult): readonly DeviceTaint[] {
    const slices = this.#slices.lister.byIndex(POOL, `${driver}/${pool}`)
    const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation))
    return slices
      .filter(({ spec }) => spec.pool.generation === newest)
      .flatMap(({ spec }) => spec.devices ?? [])
      .filter(({ name }) => name === device)
      .flatMap(({ taints = [] }) => taints)
  }

  async #evict(pod: Pod): Promise<void> {
    const { client, clock } = this.#context
    const { name, namespace, uid } = pod.metadata
    const key = { name, namespace: namespace! }
    this.#recorder.event(pod, 'Normal', REASON, 'Marking for deletion')
    const message = 'Device Taint manager: deleting due to NoExecute taint'
    const marked = withDisruptionTarget(pod, 'DeletionByDeviceTaintManager', message, clock.now())
    const target = marked.status.conditions!.find(({ type }) => type === 'DisruptionTarget')
    const patch = { metadata: { uid }, status: { conditions: [target] } }
    const type = 'application/strategic-merge-patch+json'
    try {
      await client.patch(podResource, key, type, patch, { subresource: 'status' })
      await client.delete(podResource, key, { preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

const poolsOf = ({ status }: ResourceClaim): string[] => [
  ...new Set((status.allocation?.devices.results ?? []).map(({ driver, pool }) => `${driver}/${pool}`)),
]
