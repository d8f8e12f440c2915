// autoscaling/v1 shows the CPU target of an autoscaler as a field of its own and what else v2 knows as annotations.
// Upstream: pkg/apis/autoscaling/v1/conversion.go.

import type { KubeObject } from '../../api/kube-object.ts'
import { deepFreeze } from '../../base/deep-freeze.ts'
import type { Conversion } from './endpoint.ts'

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics'
const CURRENT_METRICS = 'autoscaling.alpha.kubernetes.io/current-metrics'
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions'
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior'
const HIDDEN = [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR]

interface Metric {
  type: string
  resource?: {
    name: string
    target?: { type: string; averageUtilization?: number }
    current?: { averageUtilization?: number }
  }
}

type Fields = Record<string, unknown>

export function autoscalerConversion(): Conversion {
  const known = new WeakMap<KubeObject, KubeObject>()
  return {
    toStored,
    fromStored(object) {
      const converted = known.get(object) ?? deepFreeze(fromStored(object))
      known.set(object, converted)
      return converted
    },
  }
}

const isCpu = ({ type, resource }: Metric) => type === 'Resource' && resource?.name === 'cpu'
const isCpuUtilization = (metric: Metric) => isCpu(metric) && metric.resource?.target?.type === 'Utilization'

function toStored(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: target, ...spec } = (object.spec ?? {}) as Fields
  const { currentCPUUtilizationPercentage: _, ...status } = (object.status ?? {}) as Fields
  const { annotations = {} } = object.metadata
  const metrics = read<Metric[]>(annotations[METRICS]) ?? []
  if (target !== undefined) {
    metrics.unshift({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target as number } },
    })
  }
  const behavior = read<object>(annotations[BEHAVIOR])
  const currentMetrics = read<object[]>(annotations[CURRENT_METRICS])
  const conditions = read<object[]>(annotations[CONDITIONS])
  const visible = Object.entries(annotations).filter(([key]) => !HIDDEN.includes(key))
  const { annotations: __, ...metadata } = object.metadata
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: { ...metadata, ...(visible.length > 0 && { annotations: Object.fromEntries(visible) }) },
    spec: { ...spec, ...(metrics.length > 0 && { metrics }), ...(behavior && { behavior }) },
    status: { ...status, ...(currentMetrics && { currentMetrics }), ...(conditions && { conditions }) },
  }
}

function fromStored(object: KubeObject): KubeObject {
  const { metrics = [], behavior, ...spec } = (object.spec ?? {}) as Fields & { metrics?: Metric[] }
  const {
    currentMetrics = [],
    conditions,
    ...status
  } = (object.status ?? {}) as Fields & { currentMetrics?: Metric[] }
  const cpu = metrics.find(isCpuUtilization)
  const current = currentMetrics.find(isCpu)?.resource?.current?.averageUtilization
  const others = metrics.filter(metric => metric !== cpu)
  const annotations = {
    ...object.metadata.annotations,
    ...(others.length > 0 && { [METRICS]: JSON.stringify(others) }),
    ...(behavior !== undefined && { [BEHAVIOR]: JSON.stringify(behavior) }),
    ...(currentMetrics.length > 0 && { [CURRENT_METRICS]: JSON.stringify(currentMetrics) }),
    ...(conditions !== undefined && { [CONDITIONS]: JSON.stringify(conditions) }),
  }
  const target = cpu?.resource?.target?.averageUtilization
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: { ...object.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: { ...spec, ...(target !== undefined && { targetCPUUtilizationPercentage: target }) },
    status: { ...status, ...(current !== undefined && { currentCPUUtilizationPercentage: current }) },
  }
}

function read<T>(text: string | undefined): T | undefined {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as T
  } catch {
    return undefined
  }
}
