// Asks the three metrics APIs. Resource metrics are always there; custom and external ones are when an APIService
// names who has them. Upstream: pkg/controller/podautoscaler/metrics/client.go.
import type { Resource } from '../../api/kube-object.ts'
import { labelSelectorText } from '../../api/label-selector-text.ts'
import { isNotFound, StatusError } from '../../api/status-error.ts'
import type { CrossVersionObjectReference, MetricIdentifier } from '../../api/types/autoscaling-v2.ts'
import type { CallOptions, Client, ObjectKey } from '../../client/client.ts'
import { type ResourceCatalog, resourceOfKind } from '../../client/resource-catalog.ts'
import { messageOf } from '../pod-control/pod-control.ts'
import {
  milli,
  type ObjectMetric,
  type PodMetrics,
  type ResourceMetrics,
  usageOfContainers,
  usageOfPods,
  valuesOfPods,
} from './pod-metrics.ts'

const CUSTOM = 'custom.metrics.k8s.io'
const CUSTOM_VERSIONS = ['v1beta2', 'v1beta1']
const EXTERNAL = 'external.metrics.k8s.io'

export interface MetricsClientParts {
  /** Reaches other servers' APIs too. */
  client: Client
  catalog: ResourceCatalog
}

const named = <T>(group: string, version: string, resource: string): Resource<T> => ({
  group,
  version,
  resource,
  kind: '',
  namespaced: true,
})

export class MetricsClient {
  readonly #parts: MetricsClientParts

  constructor(parts: MetricsClientParts) {
    this.#parts = parts
  }

  /** Of the whole pods, or of one container of each. Throws when there are none. */
  async usage(
    namespace: string,
    labelSelector: string,
    resource: string,
    container?: string,
  ): Promise<PodMetrics> {
    const pods = named<ResourceMetrics>('metrics.k8s.io', 'v1beta1', 'pods')
    const { items } = await explained('unable to fetch metrics from resource metrics API', () =>
      this.#parts.client.list(pods, { namespace, labelSelector }),
    )
    if (items.length === 0) throw new Error('no metrics returned from resource metrics API')
    return container === undefined
      ? usageOfPods(items, resource)
      : usageOfContainers(items, resource, container)
  }

  /** A custom metric of every pod. Throws when there is none. */
  async ofPods(namespace: string, labelSelector: string, metric: MetricIdentifier): Promise<PodMetrics> {
    const key = { name: '*', namespace }
    const items = await this.#custom('pods', key, metric.name, { labelSelector, ...narrowed(metric) })
    return valuesOfPods(items)
  }

  /** A custom metric of one object, in thousandths. */
  async ofObject(
    namespace: string,
    object: CrossVersionObjectReference,
    metric: MetricIdentifier,
  ): Promise<number> {
    const { kind, name, apiVersion = '' } = object
    // What describes a namespace is below it: its name is not the autoscaler's to choose.
    const isNamespace = kind === 'Namespace' && apiVersion === 'v1'
    const items = isNamespace
      ? await this.#custom('metrics', { name: metric.name, namespace }, undefined, narrowed(metric))
      : await this.#custom(this.#pluralOf(object), { name, namespace }, metric.name, narrowed(metric))
    return milli(items[0]!.value)
  }

  /** All values of an external metric, added up, in thousandths. */
  async external(namespace: string, { name, selector }: MetricIdentifier): Promise<number> {
    const metric = named<{ value: string }>(EXTERNAL, 'v1beta1', name)
    const labelSelector = selector && labelSelectorText(selector)
    const { items } = await explained('unable to fetch metrics from external metrics API', () =>
      this.#parts.client.list(metric, { namespace, ...(labelSelector && { labelSelector }) }),
    )
    if (items.length === 0) throw new Error('no metrics returned from external metrics API')
    return items.reduce((sum, { value }) => sum + milli(value), 0)
  }

  async #custom(
    resource: string,
    key: ObjectKey,
    subresource: string | undefined,
    options: CallOptions,
  ): Promise<ObjectMetric[]> {
    const all = { ...options, ...(subresource && { subresource }) }
    const { items } = await explained('unable to fetch metrics from custom metrics API', async () => {
      for (const version of CUSTOM_VERSIONS) {
        try {
          return await this.#parts.client.get(
            named<{ items: ObjectMetric[] }>(CUSTOM, version, resource),
            key,
            all,
          )
        } catch (error) {
          if (!isUnserved(error)) throw error
        }
      }
      throw new Error(`no custom metrics API (${CUSTOM}) registered`)
    })
    if (items.length === 0) throw new Error('no metrics returned from custom metrics API')
    return items
  }

  #pluralOf({ kind, apiVersion = '' }: CrossVersionObjectReference): string {
    const found = resourceOfKind(this.#parts.catalog.list(), { apiVersion, kind })
    if (!found) throw new Error(`no matches for kind "${kind}" in group "${groupOf(apiVersion)}"`)
    return found.group ? `${found.resource}.${found.group}` : found.resource
  }
}

export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''

const narrowed = ({ selector }: MetricIdentifier): CallOptions => {
  const text = selector && labelSelectorText(selector)
  return text ? { query: { metricLabelSelector: text } } : {}
}

/** Nobody serves the version. A metric that is not found has a name. */
const isUnserved = (error: unknown): boolean =>
  isNotFound(error) && !(error instanceof StatusError && error.status.details?.name)

async function explained<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`)
  }
}
