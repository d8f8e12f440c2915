// What one metric of an autoscaler asks for. Reads figures, changes nothing.
// Upstream: computeReplicasForMetric and the computeStatusFor… functions of horizontal.go.
import { Quantity } from '../../api/quantity.ts'
import type {
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../api/types/autoscaling-v2.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import { showSelector } from '../disruption/show-selector.ts'
import { messageOf } from '../pod-control/pod-control.ts'
import { isReady } from '../pod-control/pod-state.ts'
import { groupPods, type Readiness } from './group-pods.ts'
import type { MetricsClient } from './metrics-client.ts'
import { milli, type PodMetrics } from './pod-metrics.ts'
import { requestsOf } from './pod-requests.ts'
import {
  type Measured,
  replicasForAverage,
  replicasForShare,
  replicasForUtilization,
  replicasForValue,
  type Tolerances,
} from './replica-count.ts'

export interface MetricQuestion {
  metrics: MetricsClient
  namespace: string
  /** Of the target's pods, as text. */
  selector: string
  pods: readonly Pod[]
  specReplicas: number
  statusReplicas: number
  tolerances: Tolerances
  readiness: Readiness
  now: number
}

export interface Proposal {
  replicas: number
  /** What it is based on: 'cpu resource utilization (percentage of request)'. */
  metric: string
  status: MetricStatus
}

/** The metric says nothing. */
export class MetricFailure extends Error {
  /** Of the condition and the event, whose text is `what`. */
  readonly reason: string
  readonly what: string

  /** `context` comes before `what` where the failures of all metrics are summed up. */
  constructor(reason: string, context: string, what: string) {
    super(context ? `${context}: ${what}` : what)
    this.reason = reason
    this.what = what
  }
}

type Found = Omit<Proposal, 'status'> & { current: MetricValueStatus }

/** Throws MetricFailure. */
export async function judgeMetric(spec: MetricSpec, question: MetricQuestion): Promise<Proposal> {
  const { type, resource, containerResource, pods, object, external } = spec
  const fail = (reason: string, context: string) => (error: unknown) => {
    throw new MetricFailure(reason, context, messageOf(error))
  }
  if (type === 'Resource' && resource) {
    const { name, target } = resource
    const { current, ...found } = await ofResource(name, target, undefined, question).catch(
      fail('FailedGetResourceMetric', `failed to get ${name} resource metric value`),
    )
    return { ...found, status: { type, resource: { name, current } } }
  }
  if (type === 'ContainerResource' && containerResource) {
    const { name, container, target } = containerResource
    const { current, ...found } = await ofResource(name, target, container, question).catch(
      fail('FailedGetContainerResourceMetric', `failed to get ${name} container metric value`),
    )
    return { ...found, status: { type, containerResource: { name, container, current } } }
  }
  if (type === 'Pods' && pods) {
    const { metric } = pods
    const { current, ...found } = await ofPods(pods, question).catch(
      fail('FailedGetPodsMetric', 'failed to get pods metric value'),
    )
    return { ...found, status: { type, pods: { metric, current } } }
  }
  if (type === 'Object' && object) {
    const { metric, describedObject } = object
    const { current, ...found } = await ofObject(object, question).catch(
      fail('FailedGetObjectMetric', 'failed to get object metric value'),
    )
    return { ...found, status: { type, object: { metric, describedObject, current } } }
  }
  if (type === 'External' && external) {
    const { metric } = external
    const { current, ...found } = await ofExternal(external, question).catch(
      fail('FailedGetExternalMetric', `failed to get ${metric.name} external metric value`),
    )
    return { ...found, status: { type, external: { metric, current } } }
  }
  throw new MetricFailure('InvalidMetricSourceType', '', `unknown metric source type "${type}"`)
}

async function ofResource(
  resource: string,
  { averageValue, averageUtilization }: MetricTarget,
  container: string | undefined,
  question: MetricQuestion,
): Promise<Found> {
  const { metrics, namespace, selector, pods } = question
  if (averageValue === undefined && averageUtilization === undefined) {
    throw new Error(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    )
  }
  const what = averageValue === undefined ? 'utilization' : 'usage'
  return within(`failed to get ${resource} ${what}`, async () => {
    const figures = await within(`unable to get metrics for resource ${resource}`, () =>
      metrics.usage(namespace, selector, resource, container),
    )
    const measured = measure(figures, resource, question)
    if (averageValue !== undefined) {
      const { replicas, average } = replicasForAverage(measured, milli(averageValue))
      return { replicas, metric: `${resource} resource`, current: { averageValue: show(average) } }
    }
    const requests = requestsOf(pods, resource, container)
    const count = replicasForUtilization(measured, averageUtilization!, requests)
    const current = { averageUtilization: count.utilization!, averageValue: show(count.average) }
    const kind = container === undefined ? 'resource' : 'container resource'
    return {
      replicas: count.replicas,
      metric: `${resource} ${kind} utilization (percentage of request)`,
      current,
    }
  })
}

async function ofPods(
  { metric, target }: NonNullable<MetricSpec['pods']>,
  question: MetricQuestion,
): Promise<Found> {
  const { metrics, namespace, selector } = question
  const figures = await within(`unable to get metric ${metric.name}`, () =>
    metrics.ofPods(namespace, selector, metric),
  )
  const measured = measure(figures, undefined, question)
  const { replicas, average } = replicasForAverage(measured, milli(target.averageValue!))
  return { replicas, metric: `pods metric ${metric.name}`, current: { averageValue: show(average) } }
}

async function ofObject(
  { metric, target, describedObject }: NonNullable<MetricSpec['object']>,
  question: MetricQuestion,
): Promise<Found> {
  const { metrics, namespace } = question
  const { kind, name } = describedObject
  const read = async () => {
    try {
      return await metrics.ofObject(namespace, describedObject, metric)
    } catch (error) {
      // The order is upstream's.
      throw new Error(
        `unable to get metric ${metric.name}: ${kind} on ${namespace} ${name}/${messageOf(error)}`,
      )
    }
  }
  if (target.type === 'Value' && target.value !== undefined) {
    const found = towardsValue(await read(), milli(target.value), question)
    return { ...found, metric: `${kind} metric ${metric.name}` }
  }
  if (target.type === 'AverageValue' && target.averageValue !== undefined) {
    const value = await within(`failed to get ${metric.name} object metric`, read)
    return { ...towardsShare(value, milli(target.averageValue), question), metric: externalName(metric) }
  }
  throw new Error('invalid object metric source: neither a value target nor an average value target was set')
}

async function ofExternal(
  { metric, target }: NonNullable<MetricSpec['external']>,
  question: MetricQuestion,
): Promise<Found> {
  const { metrics, namespace } = question
  const { name, selector } = metric
  const read = () =>
    within(`unable to get external metric ${namespace}/${name}/${showSelector(selector)}`, () =>
      metrics.external(namespace, metric),
    )
  if (target.averageValue !== undefined) {
    const value = await within(`failed to get ${name} external metric`, read)
    return { ...towardsShare(value, milli(target.averageValue), question), metric: externalName(metric) }
  }
  if (target.value !== undefined) {
    const value = await within(`failed to get external metric ${name}`, read)
    return { ...towardsValue(value, milli(target.value), question), metric: externalName(metric) }
  }
  throw new Error(
    'invalid external metric source: neither a value target nor an average value target was set',
  )
}

const externalName = ({ name, selector }: { name: string; selector?: Parameters<typeof showSelector>[0] }) =>
  `external metric ${name}(${showSelector(selector)})`

function towardsValue(value: number, target: number, question: MetricQuestion) {
  const { specReplicas, tolerances } = question
  const ready = podsOf(question).filter(pod => pod.status.phase === 'Running' && isReady(pod)).length
  const replicas = replicasForValue(specReplicas, value / target, ready, tolerances)
  return { replicas, current: { value: show(value) } }
}

function towardsShare(value: number, target: number, { statusReplicas, tolerances }: MetricQuestion) {
  const { replicas, average } = replicasForShare(statusReplicas, value, target, tolerances)
  return { replicas, current: { averageValue: show(average) } }
}

function measure(metrics: PodMetrics, resource: string | undefined, question: MetricQuestion): Measured {
  const { specReplicas, tolerances, readiness, now } = question
  const groups = groupPods(podsOf(question), metrics, resource, readiness, now)
  return { current: specReplicas, metrics, groups, tolerances }
}

function podsOf({ pods, specReplicas }: MetricQuestion): readonly Pod[] {
  if (pods.length === 0 && specReplicas > 0)
    throw new Error('no pods returned by selector while calculating replica count')
  return pods
}

const show = (thousandths: number): string => Quantity.fromMilli(thousandths).toString()

async function within<T>(context: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Error(`${context}: ${messageOf(error)}`)
  }
}
