// How many replicas one metric asks for, and what it shows. Reads figures, changes nothing.
// Upstream: the computeStatusFor… functions of horizontal.go.
import { Quantity } from '../../api/quantity.ts'
import type { MetricSpec, MetricTarget, MetricValueStatus } from '../../api/types/autoscaling-v2.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type { LabelSelector } from '../../api/types/meta-v1.ts'
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

export interface MetricCount {
  replicas: number
  /** What it is based on: 'cpu resource utilization (percentage of request)'. */
  metric: string
  current: MetricValueStatus
}

export async function countByResource(
  resource: string,
  { averageValue, averageUtilization }: MetricTarget,
  container: string | undefined,
  question: MetricQuestion,
): Promise<MetricCount> {
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

export async function countByPods(
  { metric, target }: NonNullable<MetricSpec['pods']>,
  question: MetricQuestion,
): Promise<MetricCount> {
  const { metrics, namespace, selector } = question
  const figures = await within(`unable to get metric ${metric.name}`, () =>
    metrics.ofPods(namespace, selector, metric),
  )
  const measured = measure(figures, undefined, question)
  const { replicas, average } = replicasForAverage(measured, milli(target.averageValue!))
  return { replicas, metric: `pods metric ${metric.name}`, current: { averageValue: show(average) } }
}

export async function countByObject(
  { metric, target, describedObject }: NonNullable<MetricSpec['object']>,
  question: MetricQuestion,
): Promise<MetricCount> {
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

export async function countByExternal(
  { metric, target }: NonNullable<MetricSpec['external']>,
  question: MetricQuestion,
): Promise<MetricCount> {
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

const externalName = ({ name, selector }: { name: string; selector?: LabelSelector }) =>
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
