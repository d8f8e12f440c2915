// metrics.k8s.io/v1beta1 as metrics-server serves it: what nodes and pods use now, made of the kubelets' summaries.
// Nothing of it is stored. Upstream: kubernetes-sigs/metrics-server pkg/api.
import type { KubeObject } from '../../api/kube-object.ts'
import type { ApiHandler, ApiRequest, ApiResponse } from '../../api/request.ts'
import type { ResourceInfo } from '../../api/resources.ts'
import { methodNotSupported, notFound } from '../../api/status-error.ts'
import { type NodeMetrics, nodeMetrics, type PodMetrics, podMetrics, type UsageSummary } from './usage.ts'

export const METRICS_GROUP = 'metrics.k8s.io'
const API_VERSION = `${METRICS_GROUP}/v1beta1`

const resource = (plural: string, singular: string, kind: string, namespaced: boolean): ResourceInfo => ({
  group: METRICS_GROUP,
  version: 'v1beta1',
  resource: plural,
  kind,
  namespaced,
  singular,
  shortNames: [],
  categories: [],
  verbs: ['get', 'list'],
  subresources: [],
})

export const metricsResources: readonly ResourceInfo[] = [
  resource('nodes', '', 'NodeMetrics', false),
  resource('pods', '', 'PodMetrics', true),
]

/** Answers the group's requests and hands everything else to `handle`, which also knows nodes and pods. */
export function withMetricsApi(handle: ApiHandler, usage: () => Promise<UsageSummary[]>): ApiHandler {
  return async request => {
    if (request.group !== METRICS_GROUP) return handle(request)
    if (request.verb !== 'get' && request.verb !== 'list')
      throw methodNotSupported({ group: METRICS_GROUP, resource: request.resource }, request.verb)
    const core: ApiRequest = { ...request, group: '', version: 'v1' }
    return request.verb === 'get' ? answerOne(core, handle, usage) : answerList(core, handle, usage)
  }
}

async function answerOne(
  request: ApiRequest,
  handle: ApiHandler,
  usage: () => Promise<UsageSummary[]>,
): Promise<ApiResponse> {
  const { resource: plural, namespace, name = '' } = request
  const shown = namespace === undefined ? name : `${namespace}/${name}`
  const missing = notFound({ group: METRICS_GROUP, resource: kindOf(plural).toLowerCase() }, shown)
  const response = await handle(request).catch(() => {
    throw missing
  })
  const object = response.kind === 'object' ? response.object : undefined
  const found = object && metricsOf(plural, object, await usage())
  if (!found) throw missing
  return {
    kind: 'object',
    code: 200,
    object: { kind: kindOf(plural), apiVersion: API_VERSION, ...found } as unknown as KubeObject,
  }
}

async function answerList(
  request: ApiRequest,
  handle: ApiHandler,
  usage: () => Promise<UsageSummary[]>,
): Promise<ApiResponse> {
  const { resource: plural } = request
  const [response, figures] = await Promise.all([handle(request), usage()])
  const list =
    response.kind === 'object' ? (response.object as unknown as { items: KubeObject[] }) : { items: [] }
  const items = list.items.flatMap(object => metricsOf(plural, object, figures) ?? [])
  const object = { kind: `${kindOf(plural)}List`, apiVersion: API_VERSION, metadata: {}, items }
  return { kind: 'object', code: 200, object: object as unknown as KubeObject }
}

const kindOf = (plural: string) => (plural === 'nodes' ? 'NodeMetrics' : 'PodMetrics')

function metricsOf(
  plural: string,
  object: KubeObject,
  usage: readonly UsageSummary[],
): NodeMetrics | PodMetrics | undefined {
  for (const summary of usage) {
    const found = plural === 'nodes' ? nodeMetrics(object, summary) : podMetrics(object, summary)
    if (found) return found
  }
  return undefined
}
