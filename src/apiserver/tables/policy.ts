import type { HorizontalPodAutoscaler as HorizontalPodAutoscalerV1 } from '../../api/types/autoscaling-v1.ts'
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../api/types/autoscaling-v2.ts'
import type { PodDisruptionBudget } from '../../api/types/policy-v1.ts'
import { ageOf, NONE } from './cells.ts'
import { AGE, column, NAME, type TableKind } from './table.ts'

export const podDisruptionBudgetTable: TableKind<PodDisruptionBudget> = {
  columns: [
    NAME,
    column('Min Available', 'Pods that must stay available.'),
    column('Max Unavailable', 'Pods that may be missing.'),
    column('Allowed Disruptions', 'Pods that may be evicted now.', 'integer'),
    AGE,
  ],
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    String(spec.minAvailable ?? 'N/A'),
    String(spec.maxUnavailable ?? 'N/A'),
    status.disruptionsAllowed,
    ageOf(metadata, now),
  ],
}

const AUTOSCALER_COLUMNS = [
  NAME,
  column('Reference', 'What is scaled.'),
  column('Targets', 'Metrics: now and wanted.'),
  column('MinPods', 'Least number of pods.'),
  column('MaxPods', 'Greatest number of pods.'),
  column('Replicas', 'Pods now.'),
  AGE,
]

export const horizontalPodAutoscalerTable: TableKind<HorizontalPodAutoscaler> = {
  columns: AUTOSCALER_COLUMNS,
  cells: ({ metadata, spec, status }, now) => [
    metadata.name,
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    formatMetrics(spec.metrics, status.currentMetrics),
    spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
    String(spec.maxReplicas),
    String(status.currentReplicas ?? 0),
    ageOf(metadata, now),
  ],
}

export const horizontalPodAutoscalerV1Table: TableKind<HorizontalPodAutoscalerV1> = {
  columns: AUTOSCALER_COLUMNS,
  cells: ({ metadata, spec, status }, now) => {
    const target = spec.targetCPUUtilizationPercentage
    const current = status.currentCPUUtilizationPercentage
    return [
      metadata.name,
      `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
      target === undefined ? NONE : `cpu: ${percent(current) ?? '<unknown>'}/${target}%`,
      spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
      String(spec.maxReplicas),
      String(status.currentReplicas),
      ageOf(metadata, now),
    ]
  },
}

function formatMetrics(specs: readonly MetricSpec[] = [], statuses: readonly MetricStatus[] = []): string {
  if (specs.length === 0) return NONE
  const texts = specs.map((spec, index) => formatMetric(spec, statuses[index]))
  const text = texts.slice(0, 2).join(', ')
  return texts.length > 2 ? `${text} + ${texts.length - 2} more...` : text
}

function formatMetric(spec: MetricSpec, status: MetricStatus | undefined): string {
  if (spec.resource) return resourceMetric(spec.resource, status?.resource?.current)
  if (spec.containerResource)
    return resourceMetric(spec.containerResource, status?.containerResource?.current)
  if (spec.pods)
    return `${status?.pods?.current.averageValue ?? '<unknown>'}/${spec.pods.target.averageValue}`
  if (spec.object) return valueMetric(spec.object.target, status?.object?.current)
  return spec.external ? valueMetric(spec.external.target, status?.external?.current) : '<unknown type>'
}

function resourceMetric(
  { name, target }: { name: string; target: MetricTarget },
  current: MetricValueStatus | undefined,
): string {
  if (target.averageValue !== undefined) {
    return `${name}: ${current?.averageValue ?? '<unknown>'}/${target.averageValue}`
  }
  return `${name}: ${percent(current?.averageUtilization) ?? '<unknown>'}/${percent(target.averageUtilization) ?? '<auto>'}`
}

function valueMetric(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined)
    return `${current?.averageValue ?? '<unknown>'}/${target.averageValue} (avg)`
  return `${current?.value ?? '<unknown>'}/${target.value}`
}

function percent(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value}%`
}
