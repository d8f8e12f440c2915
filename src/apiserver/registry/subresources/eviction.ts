// pods/eviction: a deletion that PodDisruptionBudgets may put off. Upstream: pod/storage/eviction.go.
import type { KubeObject } from '../../../api/kube-object.ts'
import { matcherOf } from '../../../api/labels.ts'
import { withDisruptionTarget } from '../../../api/pod/pod-condition.ts'
import type { ApiRequest, DeleteOptions } from '../../../api/request.ts'
import {
  badRequest,
  conflict,
  forbidden,
  isConflict,
  type StatusCause,
  StatusError,
  tooManyRequests,
} from '../../../api/status-error.ts'
import type { Pod } from '../../../api/types/core-v1.ts'
import type { Eviction, PodDisruptionBudget } from '../../../api/types/policy-v1.ts'
import type { Endpoint } from '../endpoint.ts'
import { formatTime } from '../object-time.ts'
import { answer, type ResourceHandler } from '../resource-handler.ts'
import { asPod } from '../strategies/core/pod-strategy.ts'
import type { WriteContext } from '../strategy.ts'
import { plainSuccess } from '../success-status.ts'
import type { SubresourceHandler } from './subresource.ts'

/** So many evictions may be approved without the controller having seen the pods go. */
const MAX_DISRUPTED_PODS = 2_000
const ATTEMPTS = 20
const REASON = 'EvictionByEvictionAPI'
const VIOLATED = "Cannot evict pod as it would violate the pod's disruption budget."

export function evictionHandler(handler: ResourceHandler, budgets: () => Endpoint): SubresourceHandler {
  return async (endpoint, request) => {
    const write = handler.begin(endpoint, request)
    const object = write.decode(inStableVersion(request.body), { apiVersion: 'policy/v1', kind: 'Eviction' })
    if (object.metadata.name !== request.name)
      throw badRequest('name in URL does not match name in Eviction object')
    write.checkTarget(object)
    await write.admit('CREATE', object)
    await write.validate('CREATE', object)
    const eviction = object as unknown as Eviction
    const options = (eviction.deleteOptions ?? {}) as DeleteOptions
    const context = { ...write.context, dryRun: write.context.dryRun || (options.dryRun?.length ?? 0) > 0 }
    await new EvictionAttempt(endpoint, budgets(), request, options, context).run()
    return answer(plainSuccess(201), 201)
  }
}

class EvictionAttempt {
  readonly #pods: Endpoint
  readonly #budgets: Endpoint
  readonly #namespace: string
  readonly #name: string
  readonly #options: DeleteOptions
  readonly #context: WriteContext

  constructor(
    pods: Endpoint,
    budgets: Endpoint,
    request: ApiRequest,
    options: DeleteOptions,
    context: WriteContext,
  ) {
    this.#pods = pods
    this.#budgets = budgets
    this.#namespace = request.namespace ?? ''
    this.#name = request.name ?? ''
    this.#options = options
    this.#context = context
  }

  async run(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const pod = asPod(this.#pods.store.get(this.#namespace, this.#name).object)
      try {
        if (ignoresBudgets(pod)) await this.#deleteUnlessChanged(pod, isSettled(pod))
        else await this.#evict(pod)
        return
      } catch (error) {
        const mayRetry =
          ignoresBudgets(pod) && !this.#options.preconditions?.resourceVersion && attempt < ATTEMPTS
        if (!isConflict(error) || !mayRetry) throw error
      }
    }
  }

  async #evict(pod: Pod): Promise<void> {
    const matching = await this.#budgetsOf(pod)
    if (matching.length > 1) {
      throw new StatusError({
        code: 500,
        message:
          'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
      })
    }
    const [budget] = matching
    if (budget && isUnhealthyAndSpare(pod, budget)) return this.#evictUnhealthy(pod, budget)
    if (budget) await this.#spend(budget)
    await this.#delete(this.#options)
  }

  /** The pod must not have become ready meanwhile. */
  async #evictUnhealthy(pod: Pod, budget: PodDisruptionBudget): Promise<void> {
    try {
      await this.#deleteUnlessChanged(pod, false)
    } catch (error) {
      if (!isConflict(error) || this.#options.preconditions?.resourceVersion) throw error
      throw beingProcessed(budget)
    }
  }

  async #deleteUnlessChanged({ metadata: { resourceVersion } }: Pod, settled: boolean): Promise<void> {
    const { preconditions } = this.#options
    const pins = !settled && !preconditions?.resourceVersion
    await this.#delete(
      pins ? { ...this.#options, preconditions: { ...preconditions, resourceVersion } } : this.#options,
    )
  }

  /** Tells first why the Pod goes. Upstream: addConditionAndDeletePod. */
  async #delete(options: DeleteOptions): Promise<void> {
    const { dryRun } = this.#context
    await this.#pods.store.delete({
      namespace: this.#namespace,
      name: this.#name,
      options: dryRun ? options : await this.#announce(options),
      context: this.#context,
    })
  }

  /** Answers the options with the version that came of it. */
  async #announce(options: DeleteOptions): Promise<DeleteOptions> {
    const { store } = this.#pods
    const { status: strategy } = store.strategy
    const { object } = await store.update({
      namespace: this.#namespace,
      name: this.#name,
      context: this.#context,
      ...(strategy && { strategy }),
      validate: () => {},
      transform: old => {
        checkPreconditions(old, options)
        const evicted = withDisruptionTarget(asPod(old), REASON, 'Eviction API: evicting', this.#context.now)
        return { ...evicted, metadata: { ...evicted.metadata } } as unknown as KubeObject
      },
    })
    const { resourceVersion } = object.metadata
    if (!options.preconditions?.resourceVersion || !resourceVersion) return options
    return { ...options, preconditions: { ...options.preconditions, resourceVersion } }
  }

  /** An empty selector selects every Pod, an absent one none. */
  async #budgetsOf({ metadata: { labels } }: Pod): Promise<PodDisruptionBudget[]> {
    const { items } = await this.#budgets.reader.list(this.#namespace, {})
    return (items as unknown as PodDisruptionBudget[]).filter(({ spec }) => matcherOf(spec.selector)(labels))
  }

  /** Takes one disruption off the budget. Throws 429 when there is none. Upstream: checkAndDecrement. */
  async #spend(budget: PodDisruptionBudget): Promise<void> {
    const { store } = this.#budgets
    const { status: strategy } = store.strategy
    await store.update({
      namespace: this.#namespace,
      name: budget.metadata.name,
      context: this.#context,
      attempts: ATTEMPTS,
      ...(strategy && { strategy }),
      validate: () => {},
      transform: old =>
        spent(old as unknown as PodDisruptionBudget, this.#name, this.#context.now) as unknown as KubeObject,
    })
  }
}

function checkPreconditions({ metadata }: KubeObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {}
  const what = { group: '', resource: 'Pods' }
  if (uid && uid !== metadata.uid) {
    throw conflict(
      what,
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      what,
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
  }
}

function spent(budget: PodDisruptionBudget, podName: string, now: number): PodDisruptionBudget {
  const { metadata, status } = budget
  const what = { group: 'policy', resource: 'poddisruptionbudget' }
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw beingProcessed(budget)
  if (status.disruptionsAllowed < 0)
    throw forbidden(what, metadata.name, 'pdb disruptions allowed is negative')
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS) {
    throw forbidden(
      what,
      metadata.name,
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    )
  }
  if (status.disruptionsAllowed === 0) throw exhausted(budget)
  const disruptionsAllowed = status.disruptionsAllowed - 1
  return {
    ...budget,
    metadata: { ...metadata },
    status: {
      ...status,
      disruptionsAllowed,
      disruptedPods: { ...status.disruptedPods, [podName]: formatTime(now) },
      ...(disruptionsAllowed === 0 && { conditions: withInsufficientPods(budget, now) }),
    },
  }
}

/** Upstream: component-helpers UpdateDisruptionAllowedCondition. */
function withInsufficientPods({ metadata, status }: PodDisruptionBudget, now: number) {
  const old = status.conditions?.find(condition => condition.type === 'DisruptionAllowed')
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False' as const,
    observedGeneration: metadata.generation ?? 0,
    lastTransitionTime: old?.status === 'False' ? old.lastTransitionTime : formatTime(now),
    reason: 'InsufficientPods',
    message: '',
  }
  return [...(status.conditions ?? []).filter(other => other !== old), condition]
}

function ignoresBudgets({ metadata, status: { phase } }: Pod): boolean {
  return (
    phase === 'Succeeded' ||
    phase === 'Failed' ||
    phase === 'Pending' ||
    metadata.deletionTimestamp !== undefined
  )
}

/** Nothing that happens to it now makes a budget count it. */
function isSettled({ metadata, status: { phase } }: Pod): boolean {
  return phase === 'Succeeded' || phase === 'Failed' || metadata.deletionTimestamp !== undefined
}

/** A pod that is not ready does not count as healthy: it may go while enough others are, or always if the budget says so. */
function isUnhealthyAndSpare({ status }: Pod, { spec, status: budget }: PodDisruptionBudget): boolean {
  if (status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return false
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return budget.currentHealthy >= budget.desiredHealthy && budget.desiredHealthy > 0
}

const cause = (message: string): StatusCause[] => [{ reason: 'DisruptionBudget', message }]

function beingProcessed({ metadata: { name } }: PodDisruptionBudget): StatusError {
  return tooManyRequests(
    VIOLATED,
    10,
    cause(`The disruption budget ${name} is still being processed by the server.`),
  )
}

function exhausted({ metadata: { name }, status }: PodDisruptionBudget): StatusError {
  return tooManyRequests(
    VIOLATED,
    undefined,
    cause(
      `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`,
    ),
  )
}

/** Clients of Kubernetes before 1.22 say policy/v1beta1, with the same fields. Upstream: EvictionREST.AcceptsGroupVersion. */
function inStableVersion(body: unknown): unknown {
  const isBeta = (body as { apiVersion?: string } | undefined)?.apiVersion === 'policy/v1beta1'
  return isBeta ? { ...(body as object), apiVersion: 'policy/v1' } : body
}
