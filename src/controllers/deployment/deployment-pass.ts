// One look at one Deployment: carries out what the pure parts decide, in upstream's order.
// Upstream: syncDeployment, rolloutRolling, rolloutRecreate and sync in pkg/controller/deployment.
import { isDeepStrictEqual } from 'node:util'
import { deployments, replicaSets } from '../../api/resources.ts'
import { isAlreadyExists, isNotFound } from '../../api/status-error.ts'
import type {
  Deployment,
  DeploymentCondition,
  DeploymentStatus,
  ReplicaSet,
} from '../../api/types/apps-v1.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { PassiveClock } from '../../base/clock.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events/event-recorder.ts'
import { controllerOf } from '../pod-control/claim.ts'
import { isNamespaceTerminating, messageOf } from '../pod-control/pod-control.ts'
import { isTerminal } from '../pod-control/pod-state.ts'
import { newReplicaSetAnnotations, REVISION, sameAnnotations, sizeAnnotations } from './annotations.ts'
import { findCondition, progressing, setCondition } from './deployment-conditions.ts'
import {
  deadlineMs,
  isComplete,
  pausedCondition,
  progressCheckMs,
  rolloutStatus,
  standingStatus,
} from './deployment-status.ts'
import { newReplicaSet, roomForNew } from './new-replica-set.ts'
import { isSameTemplate, rolesOf, totalSize } from './replica-set-roles.ts'
import { replicaSetsToForget } from './replica-sets-to-forget.ts'
import { desiredReplicas } from './rolling-limits.ts'
import {
  emptyOld,
  isScalingEvent,
  type ProportionalScaling,
  type Scaling,
  type Sets,
  scaleRolling,
  scaleStanding,
} from './scaling.ts'

export interface PassOptions {
  client: Client
  clock: PassiveClock
  recorder: Pick<EventRecorder, 'event'>
  deployment: Deployment
  /** Those that it owns. */
  sets: readonly ReplicaSet[]
  podsOf(set: ReplicaSet): readonly Pod[]
}

export class DeploymentPass {
  readonly #options: PassOptions
  /** As the server has it after the last write of this pass. */
  #deployment: Deployment
  #newest: ReplicaSet | undefined
  #old: ReplicaSet[]
  readonly #revision: bigint

  constructor(options: PassOptions) {
    const { newest, old, revision } = rolesOf(options.deployment, options.sets)
    this.#options = options
    this.#deployment = options.deployment
    this.#newest = newest
    this.#old = old
    this.#revision = revision
  }

  /** Answers in how many milliseconds to come back, when it must be looked at again whatever happens. */
  async run(): Promise<number | undefined> {
    const { spec, metadata } = this.#deployment
    if (selectsEverything(this.#deployment)) return this.#refuse()
    if (metadata.deletionTimestamp) return this.#tellStanding()
    await this.#notePause()
    if (spec.paused || isScalingEvent(this.#deployment, this.#sets)) return this.#stand()
    return spec.strategy.type === 'Recreate' ? this.#recreate() : this.#roll()
  }

  get #sets(): Sets {
    return { newest: this.#newest, old: this.#old }
  }

  async #refuse(): Promise<undefined> {
    const { recorder } = this.#options
    const message = 'This deployment is selecting all pods. A non-empty selector is required.'
    recorder.event(this.#deployment, 'Warning', 'SelectingAll', message)
    const { generation } = this.#deployment.metadata
    if ((this.#deployment.status.observedGeneration ?? 0) >= (generation ?? 0)) return
    await this.#writeStatus({ ...this.#deployment.status, observedGeneration: generation! })
  }

  async #notePause(): Promise<void> {
    const condition = pausedCondition(this.#deployment, this.#options.clock.now())
    if (condition) await this.#writeStatus(this.#withCondition(condition))
  }

  #withCondition(condition: DeploymentCondition): DeploymentStatus {
    const { status } = this.#deployment
    return { ...status, conditions: setCondition(status.conditions ?? [], condition) }
  }

  /** Paused, or its size has changed: nothing new is made, what is there is scaled. */
  async #stand(): Promise<undefined> {
    if (this.#newest) await this.#keepNewest(this.#newest)
    for (const scaling of scaleStanding(this.#deployment, this.#sets)) await this.#scale(scaling)
    if (this.#deployment.spec.paused) await this.#forgetOld()
    return this.#tellStanding()
  }

  async #tellStanding(): Promise<undefined> {
    await this.#writeStatus(standingStatus(this.#deployment, this.#sets, this.#options.clock.now()))
  }

  async #roll(): Promise<number | undefined> {
    const newest = await this.#ensureNewest()
    const steps = scaleRolling(this.#deployment, { newest, old: this.#old })
    for (const scaling of steps) await this.#scale(scaling)
    if (steps.length === 0 && isComplete(this.#deployment, this.#deployment.status)) await this.#forgetOld()
    return this.#tellRollout()
  }

  /** No new Pod while an old one runs. */
  async #recreate(): Promise<number | undefined> {
    if (this.#newest) await this.#keepNewest(this.#newest)
    const steps = emptyOld(this.#sets)
    for (const scaling of steps) await this.#scale(scaling)
    if (steps.length > 0 || this.#oldPodsRun()) return this.#tellRollout()
    const newest = await this.#ensureNewest()
    const to = desiredReplicas(this.#deployment)
    const from = newest.spec.replicas ?? 1
    if (from !== to) await this.#scale({ replicaSet: newest, from, to })
    if (isComplete(this.#deployment, this.#deployment.status)) await this.#forgetOld()
    return this.#tellRollout()
  }

  /** Upstream: oldPodsRunning. */
  #oldPodsRun(): boolean {
    const { podsOf } = this.#options
    return this.#old.some(set => set.status.replicas > 0 || podsOf(set).some(pod => !isTerminal(pod)))
  }

  async #tellRollout(): Promise<number | undefined> {
    const now = this.#options.clock.now()
    const status = rolloutStatus(this.#deployment, this.#sets, now)
    await this.#writeStatus(status)
    return progressCheckMs(this.#deployment, status, now)
  }

  async #ensureNewest(): Promise<ReplicaSet> {
    return this.#newest ? this.#keepNewest(this.#newest) : this.#createNewest()
  }

  /** Its annotations follow the Deployment's, and the Deployment's revision follows its own. */
  async #keepNewest(set: ReplicaSet): Promise<ReplicaSet> {
    const annotations = newReplicaSetAnnotations(this.#deployment, set, this.#revision)
    const { minReadySeconds } = this.#deployment.spec
    const isRight =
      sameAnnotations(annotations, set.metadata.annotations) &&
      (set.spec.minReadySeconds ?? 0) === (minReadySeconds ?? 0)
    if (!isRight) {
      const spec = { ...set.spec, minReadySeconds: minReadySeconds ?? 0 }
      this.#newest = await this.#update({ ...set, metadata: { ...set.metadata, annotations }, spec })
      return this.#newest
    }
    const isNew =
      deadlineMs(this.#deployment) !== undefined &&
      !findCondition(this.#deployment.status.conditions, 'Progressing')
    const message = `Found new replica set "${set.metadata.name}"`
    const found = progressing('True', 'FoundNewReplicaSet', message, this.#options.clock.now())
    const status = isNew ? this.#withCondition(found) : this.#deployment.status
    await this.#writeStatus(status, set.metadata.annotations?.[REVISION])
    return set
  }

  async #createNewest(): Promise<ReplicaSet> {
    const { client, recorder, clock } = this.#options
    const size = roomForNew(this.#deployment, totalSize(this.#old), 0)
    const draft = newReplicaSet(this.#deployment, this.#revision, size)
    const { name } = draft.metadata
    try {
      this.#newest = await client.create(replicaSets, draft)
    } catch (error) {
      if (isAlreadyExists(error)) return this.#takeExisting(name, error)
      if (!isNamespaceTerminating(error)) await this.#tellFailure(name, error)
      throw error
    }
    if (size > 0) {
      const message = `Scaled up replica set ${name} from 0 to ${size}`
      recorder.event(this.#deployment, 'Normal', 'ScalingReplicaSet', message)
    }
    const created = progressing(
      'True',
      'NewReplicaSetCreated',
      `Created new replica set "${name}"`,
      clock.now(),
    )
    const isJudged = deadlineMs(this.#deployment) !== undefined
    const status = isJudged ? this.#withCondition(created) : this.#deployment.status
    await this.#writeStatus(status, String(this.#revision))
    return this.#newest
  }

  /** The informer was late, or another template has the same hash: then the next try is for another name. */
  async #takeExisting(name: string, error: unknown): Promise<ReplicaSet> {
    const { client } = this.#options
    const { metadata, spec, status } = this.#deployment
    const existing = await client.get(replicaSets, { name, namespace: metadata.namespace! })
    const isOurs = controllerOf(existing)?.uid === metadata.uid
    if (!isOurs || !isSameTemplate(existing.spec.template, spec.template)) {
      await this.#writeStatus({ ...status, collisionCount: (status.collisionCount ?? 0) + 1 })
      throw error
    }
    this.#newest = existing
    await this.#writeStatus(status, String(this.#revision))
    return existing
  }

  async #tellFailure(name: string, error: unknown): Promise<void> {
    const { clock, recorder } = this.#options
    const message = `Failed to create new replica set "${name}": ${messageOf(error)}`
    if (deadlineMs(this.#deployment) !== undefined) {
      const condition = progressing('False', 'ReplicaSetCreateError', message, clock.now())
      // What comes of it is told by the failure to create itself.
      await this.#writeStatus(this.#withCondition(condition)).catch(() => {})
    }
    recorder.event(this.#deployment, 'Warning', 'ReplicaSetCreateError', message)
  }

  async #scale(scaling: Scaling | ProportionalScaling): Promise<void> {
    const { to, from, replicaSet } = scaling
    // An earlier step of this pass may have made a newer version of it.
    const set = [this.#newest, ...this.#old].find(one => one?.metadata.uid === replicaSet.metadata.uid)!
    const annotations = { ...set.metadata.annotations, ...sizeAnnotations(this.#deployment) }
    if (from === to && sameAnnotations(annotations, set.metadata.annotations)) return
    const metadata = { ...set.metadata, annotations }
    this.#replace(await this.#update({ ...set, metadata, spec: { ...set.spec, replicas: to } }))
    if (from === to) return
    const operation = 'operation' in scaling ? scaling.operation : to > from ? 'up' : 'down'
    const message = `Scaled ${operation} replica set ${set.metadata.name} from ${from} to ${to}`
    this.#options.recorder.event(this.#deployment, 'Normal', 'ScalingReplicaSet', message)
  }

  #replace(set: ReplicaSet): void {
    const isSame = (other: ReplicaSet | undefined) => other?.metadata.uid === set.metadata.uid
    if (isSame(this.#newest)) this.#newest = set
    this.#old = this.#old.map(one => (isSame(one) ? set : one))
  }

  /** The resourceVersion makes it fail when the informer was late: then all is decided anew. */
  #update(set: ReplicaSet): Promise<ReplicaSet> {
    return this.#options.client.update(replicaSets, set)
  }

  async #forgetOld(): Promise<void> {
    const { client } = this.#options
    for (const { metadata } of replicaSetsToForget(this.#deployment, this.#old)) {
      const { name, namespace, uid } = metadata
      try {
        await client.delete(replicaSets, { name, namespace: namespace! }, { preconditions: { uid } })
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
  }

  async #writeStatus(status: DeploymentStatus, revision?: string): Promise<void> {
    const { metadata } = this.#deployment
    const hasRevision = revision === undefined || metadata.annotations?.[REVISION] === revision
    if (hasRevision && isDeepStrictEqual(status, this.#deployment.status)) return
    const annotations = { ...metadata.annotations, ...(revision && { [REVISION]: revision }) }
    const wanted = { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) }
    const object = { ...this.#deployment, metadata: wanted, status }
    this.#deployment = await this.#options.client.update(deployments, object, { subresource: 'status' })
  }
}

const selectsEverything = ({ spec }: Deployment): boolean =>
  Object.keys(spec.selector?.matchLabels ?? {}).length + (spec.selector?.matchExpressions ?? []).length === 0
