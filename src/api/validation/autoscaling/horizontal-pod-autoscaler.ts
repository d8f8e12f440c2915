// HorizontalPodAutoscalers, in the shape of v2. Upstream: pkg/apis/autoscaling/validation.
import { isPathSegmentName } from '../../names.ts'
import type {
  HorizontalPodAutoscaler,
  HPAScalingPolicy,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from '../../types/autoscaling-v2.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  NEGATIVE,
  nonNegative,
  notSupported,
  required,
} from '../field-error.ts'
import { validateKindAndName } from '../networking/typed-reference.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import { parseQuantity } from '../resource-names.ts'
import type { Validator } from '../validator.ts'

/** Metric type → the field that describes it, in the order in which they are looked at. */
const SOURCES = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const
const SELECT = ['Disabled', 'Max', 'Min']
const POLICIES = ['Percent', 'Pods']
const LONGEST_WINDOW = 3600
const LONGEST_PERIOD = 1800
const ABOVE_ZERO = 'must be greater than 0'
const BOTH_OF_RESOURCE = 'may not set both a target raw value and a target utilization'

function validateAutoscaler({ spec }: HorizontalPodAutoscaler): FieldError[] {
  const { minReplicas: least, maxReplicas: most = 0, behavior, metrics = [] } = spec
  const errors: FieldError[] = []
  if (least !== undefined && least < 1)
    errors.push(invalidValue('spec.minReplicas', least, 'must be greater than or equal to 1'))
  if (most < 1) errors.push(invalidValue('spec.maxReplicas', most, ABOVE_ZERO))
  if (least !== undefined && most < least)
    errors.push(invalidValue('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`'))
  return [
    ...errors,
    ...validateKindAndName(spec.scaleTargetRef ?? {}, 'spec.scaleTargetRef'),
    ...metrics.flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`)),
    ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ]
}

function validateMetric(metric: MetricSpec, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { type = '' } = metric
  if (!type) errors.push(required(`${path}.type`, 'must specify a metric source type'))
  const expected = SOURCES[type as keyof typeof SOURCES] as keyof MetricSpec | undefined
  if (!expected) errors.push(notSupported(`${path}.type`, type, Object.keys(SOURCES).toSorted()))
  const present = Object.values(SOURCES).filter(field => metric[field] !== undefined)
  if (present[0]) errors.push(...validateSource(metric, present[0], `${path}.${present[0]}`))
  if (expected && metric[expected] === undefined)
    errors.push(required(`${path}.${expected}`, 'must populate information for the given metric source'))
  const others = present.length === 1 ? [] : present.filter(field => field !== expected)
  const detail = 'must populate the given metric source only'
  return [...errors, ...others.map(field => forbiddenField(`${path}.${field}`, detail))]
}

function validateSource(metric: MetricSpec, field: (typeof SOURCES)[keyof typeof SOURCES], path: string) {
  const { target } = metric[field]!
  const { object, containerResource } = metric
  const errors: FieldError[] = []
  if (field === 'object')
    errors.push(...validateKindAndName(object!.describedObject ?? {}, `${path}.describedObject`))
  if (field === 'resource' || field === 'containerResource') {
    if (!metric[field]!.name) errors.push(required(`${path}.name`, 'must specify a resource name'))
    if (field === 'containerResource') {
      errors.push(
        ...(containerResource!.container
          ? each(`${path}.container`, containerResource!.container, isPathSegmentName)
          : [required(`${path}.container`, 'must specify a container')]),
      )
    }
    return [...errors, ...validateTarget(target, `${path}.target`), ...ofResource(target, `${path}.target`)]
  }
  const { name } = metric[field]!.metric ?? {}
  errors.push(
    ...(name
      ? each(`${path}.metric.name`, name, isPathSegmentName)
      : [required(`${path}.metric.name`, 'must specify a metric name')]),
  )
  return [
    ...errors,
    ...validateTarget(target, `${path}.target`),
    ...ofMetric(target, field, `${path}.target`),
  ]
}

function ofResource({ averageUtilization, averageValue }: MetricTarget, path: string): FieldError[] {
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization'
    return [required(`${path}.averageUtilization`, detail)]
  }
  return averageUtilization !== undefined && averageValue !== undefined
    ? [forbiddenField(`${path}.averageValue`, BOTH_OF_RESOURCE)]
    : []
}

function ofMetric({ value, averageValue }: MetricTarget, field: string, path: string): FieldError[] {
  const needed: Record<string, string> = {
    object: 'must set either a target value or averageValue',
    external: 'must set either a target value for metric or a per-pod target',
    pods: 'must specify a positive target averageValue',
  }
  const missing = averageValue === undefined && (value === undefined || field === 'pods')
  if (missing) return [required(`${path}.averageValue`, needed[field])]
  if (field !== 'external' || value === undefined || averageValue === undefined) return []
  const detail = 'may not set both a target value for metric and a per-pod target'
  return [forbiddenField(`${path}.value`, detail)]
}

function validateTarget(target: MetricTarget, path: string): FieldError[] {
  const { type, averageUtilization } = target
  const errors: FieldError[] = []
  if (!type) errors.push(required(`${path}.type`, 'must specify a metric target type'))
  if (!['Utilization', 'Value', 'AverageValue'].includes(type)) {
    const detail = 'must be either Utilization, Value, or AverageValue'
    errors.push(invalidValue(`${path}.type`, type ?? '', detail))
  }
  for (const field of ['value', 'averageValue'] as const) {
    const amount = target[field] === undefined ? undefined : parseQuantity(target[field])
    if (amount && amount.sign <= 0)
      errors.push(invalidValue(`${path}.${field}`, amount.toString(), 'must be positive'))
  }
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(invalidValue(`${path}.averageUtilization`, averageUtilization, ABOVE_ZERO))
  return errors
}

function validateRules(rules: HPAScalingRules | undefined, path: string): FieldError[] {
  if (!rules) return []
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules
  const errors: FieldError[] = []
  const refuse = (detail: string) => invalidValue(`${path}.stabilizationWindowSeconds`, window, detail)
  if (window !== undefined && window < 0) errors.push(refuse('must be greater than or equal to zero'))
  if (window !== undefined && window > LONGEST_WINDOW)
    errors.push(refuse(`must be less than or equal to ${LONGEST_WINDOW}`))
  if (selectPolicy !== undefined && !SELECT.includes(selectPolicy))
    errors.push(notSupported(`${path}.selectPolicy`, selectPolicy, SELECT))
  if (policies.length === 0) errors.push(required(`${path}.policies`, 'must specify at least one Policy'))
  errors.push(...policies.flatMap((policy, at) => validatePolicy(policy, `${path}.policies[${at}]`)))
  const least = tolerance === undefined ? undefined : parseQuantity(tolerance)
  if (least && least.sign < 0) errors.push(invalidValue(`${path}.tolerance`, least.toString(), NEGATIVE))
  return errors
}

function validatePolicy({ type, value, periodSeconds }: HPAScalingPolicy, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (!POLICIES.includes(type)) errors.push(notSupported(`${path}.type`, type ?? '', POLICIES))
  if (!(value > 0)) errors.push(invalidValue(`${path}.value`, value ?? 0, 'must be greater than zero'))
  if (!(periodSeconds > 0))
    errors.push(invalidValue(`${path}.periodSeconds`, periodSeconds ?? 0, 'must be greater than zero'))
  if (periodSeconds > LONGEST_PERIOD) {
    const detail = `must be less than or equal to ${LONGEST_PERIOD}`
    errors.push(invalidValue(`${path}.periodSeconds`, periodSeconds, detail))
  }
  return errors
}

export const autoscalerValidator: Validator = {
  create: validateAutoscaler,
  subresources: {
    status: ({ metadata, status }: HorizontalPodAutoscaler, old: HorizontalPodAutoscaler) => [
      ...validateObjectMetaUpdate(metadata, old.metadata),
      ...nonNegative('status.currentReplicas', status?.currentReplicas),
      ...nonNegative('status.desiredReplicas', status?.desiredReplicas),
    ],
  },
}
