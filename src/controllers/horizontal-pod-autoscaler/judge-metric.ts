// What one metric of an autoscaler asks for, or why it says nothing.
// Upstream: computeReplicasForMetric of horizontal.go.
import type { MetricSpec, MetricStatus } from '../../api/types/autoscaling-v2.ts'
import { messageOf } from '../pod-control/pod-control.ts'
import {
  countByExternal,
  countByObject,
  countByPods,
  countByResource,
  type MetricQuestion,
} from './count-by-metric.ts'

export interface Proposal {
  replicas: number
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

/** Throws MetricFailure. */
export async function judgeMetric(spec: MetricSpec, question: MetricQuestion): Promise<Proposal> {
  const { type, resource, containerResource, pods, object, external } = spec
  const fail = (reason: string, context: string) => (error: unknown) => {
    throw new MetricFailure(reason, context, messageOf(error))
  }
  if (type === 'Resource' && resource) {
    const { name, target } = resource
    const { current, ...found } = await countByResource(name, target, undefined, question).catch(
      fail('FailedGetResourceMetric', `failed to get ${name} resource metric value`),
    )
    return { ...found, status: { type, resource: { name, current } } }
  }
  if (type === 'ContainerResource' && containerResource) {
    const { name, container, target } = containerResource
    const { current, ...found } = await countByResource(name, target, container, question).catch(
      fail('FailedGetContainerResourceMetric', `failed to get ${name} container metric value`),
    )
    return { ...found, status: { type, containerResource: { name, container, current } } }
  }
  if (type === 'Pods' && pods) {
    const { metric } = pods
    const { current, ...found } = await countByPods(pods, question).catch(
      fail('FailedGetPodsMetric', 'failed to get pods metric value'),
    )
    return { ...found, status: { type, pods: { metric, current } } }
  }
  if (type === 'Object' && object) {
    const { metric, describedObject } = object
    const { current, ...found } = await countByObject(object, question).catch(
      fail('FailedGetObjectMetric', 'failed to get object metric value'),
    )
    return { ...found, status: { type, object: { metric, describedObject, current } } }
  }
  if (type === 'External' && external) {
    const { metric } = external
    const { current, ...found } = await countByExternal(external, question).catch(
      fail('FailedGetExternalMetric', `failed to get ${metric.name} external metric value`),
    )
    return { ...found, status: { type, external: { metric, current } } }
  }
  throw new MetricFailure('InvalidMetricSourceType', '', `unknown metric source type "${type}"`)
}
