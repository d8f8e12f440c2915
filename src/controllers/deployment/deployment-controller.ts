// Rolls Deployments out: finds or makes the ReplicaSet of the newest template, moves Pods to it, and tells the status.
// What to do is decided in scaling.ts, new-replica-set.ts and deployment-status.ts. Upstream: pkg/controller/deployment.
import { matcherOf } from '../../api/labels.ts'
import { deployments, pods as podResource, replicaSets } from '../../api/resources.ts'
import type { Deployment, ReplicaSet } from '../../api/types/apps-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { type Requeue, runController } from '../../client/controller-loop.ts'
import { EventRecorder } from '../../client/events/event-recorder.ts'
import { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/lister.ts'
import { WorkQueue } from '../../client/workqueue.ts'
import type { ControllerContext } from '../controller-context.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { claimObjects } from '../pod-control/claim-objects.ts'
import { claimable, controlledBy, ownerIndexers } from '../pod-control/owned-index.ts'
import { ownerOf } from '../pod-control/owner-of.ts'
import { DeploymentPass } from './deployment-pass.ts'

/** Upstream: --concurrent-deployment-syncs. */
const CONCURRENCY = 5

export class DeploymentController {
  readonly #context: ControllerContext
  readonly #queue: WorkQueue<string>
  readonly #deployments: Informer<Deployment>
  readonly #replicaSets: Informer<ReplicaSet>
  readonly #pods: Informer<Pod>
  readonly #recorder: EventRecorder

  constructor(context: ControllerContext) {
    const { client, clock, log } = context
    const parts = { client, clock, log }
    this.#context = context
    this.#queue = new WorkQueue({ clock })
    this.#deployments = new Informer({ ...parts, resource: deployments })
    this.#replicaSets = new Informer({ ...parts, resource: replicaSets, indexers: ownerIndexers })
    this.#pods = new Informer({ ...parts, resource: podResource, indexers: ownerIndexers })
    this.#recorder = new EventRecorder({ ...parts, component: 'deployment-controller' })
    this.#listen()
  }

  /** Resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const informers = [this.#deployments, this.#replicaSets, this.#pods]
    const reconcile = (key: string) => this.#reconcile(key)
    const loop = { queue: this.#queue, reconcile, signal, log: this.#context.log, concurrency: CONCURRENCY }
    await runController({ informers, ...loop })
  }

  #listen(): void {
    const enqueue = (deployment: Deployment) => this.#queue.add(keyOf(deployment))
    this.#deployments.addHandler({
      add: enqueue,
      update: (_, deployment) => enqueue(deployment),
      delete: enqueue,
    })
    this.#replicaSets.addHandler({
      add: set => this.#replicaSetChanged(set),
      update: (old, set) => {
        const before = this.#ownerOf(old)
        if (before && before !== this.#ownerOf(set)) enqueue(before)
        this.#replicaSetChanged(set)
      },
      delete: set => {
        const owner = this.#ownerOf(set)
        if (owner) enqueue(owner)
      },
    })
    this.#pods.addHandler({ delete: pod => this.#podGone(pod) })
  }

  #replicaSetChanged(set: ReplicaSet): void {
    const owner = this.#ownerOf(set)
    if (owner) this.#queue.add(keyOf(owner))
    else if (!controllerOf(set)) this.#enqueueSelecting(set)
  }

  /** Recreate waits for the last old Pod to be gone. */
  #podGone(pod: Pod): void {
    const set = ownerOf(this.#replicaSets.lister, 'ReplicaSet', pod)
    const deployment = set && this.#ownerOf(set)
    if (deployment?.spec.strategy.type === 'Recreate') this.#queue.add(keyOf(deployment))
  }

  #ownerOf(set: ReplicaSet): Deployment | undefined {
    return ownerOf(this.#deployments.lister, 'Deployment', set)
  }

  #enqueueSelecting({ metadata }: ReplicaSet): void {
    for (const deployment of this.#deployments.lister.list(metadata.namespace)) {
      if (matcherOf(deployment.spec.selector ?? undefined)(metadata.labels))
        this.#queue.add(keyOf(deployment))
    }
  }

  async #reconcile(key: string): Promise<Requeue | undefined> {
    const deployment = this.#deployments.lister.findByKey(key)
    if (!deployment) return undefined
    const { client, clock } = this.#context
    const sets = await claimObjects({
      client,
      owner: deployment,
      ownerResource: deployments,
      resource: replicaSets,
      objects: claimable(this.#replicaSets.lister, deployment),
      selects: matcherOf(deployment.spec.selector ?? undefined),
    })
    const podsOf = (set: ReplicaSet) => controlledBy(this.#pods.lister, set.metadata.uid)
    const pass = new DeploymentPass({ client, clock, recorder: this.#recorder, deployment, sets, podsOf })
    const requeueAfterMs = await pass.run()
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs }
  }
}
