import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HorizontalPodAutoscaler } from '../types/autoscaling-v2.ts'
import { defaultAutoscaler } from './autoscaling.ts'

const scaler = (apiVersion: string, spec: object, annotations: Record<string, string> = {}) => {
  const object = { apiVersion, metadata: { annotations }, spec } as HorizontalPodAutoscaler
  defaultAutoscaler(object)
  return object.spec as object
}

test('an autoscaler scales by CPU unless it says otherwise', () => {
  const target = { type: 'Utilization', averageUtilization: 80 }
  const metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  assert.deepEqual(scaler('autoscaling/v2', { maxReplicas: 2 }), { maxReplicas: 2, minReplicas: 1, metrics })
  assert.deepEqual(scaler('autoscaling/v1', { maxReplicas: 2 }), {
    maxReplicas: 2,
    minReplicas: 1,
    targetCPUUtilizationPercentage: 80,
  })
  const otherwise = { 'autoscaling.alpha.kubernetes.io/metrics': '[]' }
  assert.deepEqual(scaler('autoscaling/v1', {}, otherwise), { minReplicas: 1 })
})

test('behaviour that is given in part is filled up', () => {
  const spec = scaler('autoscaling/v2', { behavior: { scaleDown: { stabilizationWindowSeconds: 300 } } })
  assert.deepEqual((spec as HorizontalPodAutoscaler['spec']).behavior, {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      selectPolicy: 'Max',
      policies: [
        { type: 'Pods', value: 4, periodSeconds: 15 },
        { type: 'Percent', value: 100, periodSeconds: 15 },
      ],
    },
    scaleDown: {
      stabilizationWindowSeconds: 300,
      selectPolicy: 'Max',
      policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
    },
  })
})
