// Defaults of HorizontalPodAutoscalers. Upstream: pkg/apis/autoscaling/v2/defaults.go.
import type { HorizontalPodAutoscaler as AutoscalerV1 } from '../types/autoscaling-v1.ts'
import type { HorizontalPodAutoscaler, HPAScalingRules } from '../types/autoscaling-v2.ts'

const CPU_PERCENT = 80
const METRICS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/metrics'
const PERIOD_SECONDS = 15

/** Both versions: what v1 leaves out is filled in as v2 would. */
export function defaultAutoscaler(autoscaler: HorizontalPodAutoscaler | AutoscalerV1): void {
  if (!autoscaler.spec) return
  autoscaler.spec.minReplicas ??= 1
  if (autoscaler.apiVersion === 'autoscaling/v1') {
    const { metadata, spec } = autoscaler as AutoscalerV1
    if (!metadata.annotations?.[METRICS_ANNOTATION]) spec.targetCPUUtilizationPercentage ??= CPU_PERCENT
    return
  }
  const { spec } = autoscaler as HorizontalPodAutoscaler
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: 'Utilization', averageUtilization: CPU_PERCENT }
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  }
  if (!spec.behavior) return
  spec.behavior.scaleUp = { ...scaleUp(), ...spec.behavior.scaleUp }
  spec.behavior.scaleDown = { ...scaleDown(), ...spec.behavior.scaleDown }
}

const scaleUp = (): HPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: PERIOD_SECONDS },
    { type: 'Percent', value: 100, periodSeconds: PERIOD_SECONDS },
  ],
})

const scaleDown = (): HPAScalingRules => ({
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: PERIOD_SECONDS }],
})
