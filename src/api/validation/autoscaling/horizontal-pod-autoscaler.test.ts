import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createErrors, objectOf } from '../test-validation.ts'

const scaler = (spec: object) =>
  objectOf('autoscaling/v2', 'HorizontalPodAutoscaler', 'd', {
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'a' }, maxReplicas: 3, ...spec },
  })
const metric = (parts: object) => scaler({ metrics: [parts] })
const cpu = (target: object) => metric({ type: 'Resource', resource: { name: 'cpu', target } })
const target = 'spec.metrics[0].resource.target'

const cases: Record<string, [ReturnType<typeof scaler>, ...string[]]> = {
  'a plain one is fine': [cpu({ type: 'Utilization', averageUtilization: 50 })],
  'there is a most': [
    scaler({ maxReplicas: 0 }),
    'spec.maxReplicas: Invalid value: 0: must be greater than 0',
  ],
  'not under the least': [
    scaler({ minReplicas: 4 }),
    'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
  ],
  'something is scaled': [
    scaler({ scaleTargetRef: {} }),
    'spec.scaleTargetRef.kind: Required value',
    'spec.scaleTargetRef.name: Required value',
  ],
  'by something known': [
    metric({ type: 'Moon' }),
    'spec.metrics[0].type: Unsupported value: "Moon": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
  ],
  'which is described': [
    metric({ type: 'Pods' }),
    'spec.metrics[0].pods: Required value: must populate information for the given metric source',
  ],
  'towards something': [
    cpu({ type: 'Utilization' }),
    `${target}.averageUtilization: Required value: must set either a target raw value or a target utilization`,
  ],
  'and one thing': [
    cpu({ type: 'Utilization', averageUtilization: 1, averageValue: '1' }),
    `${target}.averageValue: Forbidden: may not set both a target raw value and a target utilization`,
  ],
  'rules have policies': [
    scaler({ behavior: { scaleUp: { stabilizationWindowSeconds: 3601 } } }),
    'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
    'spec.behavior.scaleUp.policies: Required value: must specify at least one Policy',
  ],
  'a tolerance is not below none': [
    scaler({
      behavior: { scaleUp: { tolerance: '-0.1', policies: [{ type: 'Pods', value: 1, periodSeconds: 1 }] } },
    }),
    'spec.behavior.scaleUp.tolerance: Invalid value: "-100m": must be greater than or equal to 0',
  ],
  'policies have a type, a value and a period': [
    scaler({ behavior: { scaleDown: { policies: [{ type: 'Some', value: 0, periodSeconds: 1801 }] } } }),
    'spec.behavior.scaleDown.policies[0].type: Unsupported value: "Some": supported values: "Percent", "Pods"',
    'spec.behavior.scaleDown.policies[0].value: Invalid value: 0: must be greater than zero',
    'spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
  ],
}

for (const [title, [object, ...expected]] of Object.entries(cases)) {
  test(`autoscaler validation: ${title}`, () => assert.deepEqual(createErrors(object), expected))
}
