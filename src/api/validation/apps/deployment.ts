// Upstream: ValidateDeployment and ValidateReplicaSet in pkg/apis/apps/validation; their update strategies.
import type {
  Deployment,
  DeploymentStrategy,
  ReplicaSet,
  RollingUpdateDeployment,
} from '../../types/apps-v1.ts'
import type { PodTemplateSpec } from '../../types/core-v1.ts'
import type { LabelSelector } from '../../types/meta-v1.ts'
import {
  type FieldError,
  forbiddenField,
  immutable,
  invalidValue,
  nonNegative,
  notSupported,
  required,
} from '../field-error.ts'
import { atMostAll, numberOf, validateIntOrPercent } from '../int-or-percent.ts'
import { internalForm } from '../internal-json.ts'
import {
  matcherIfValid,
  validateLastingPods,
  validateSelector,
  validateTemplate,
  validateTemplateLabels,
} from '../pod-template.ts'
import { validateStatusCounts } from '../status-counts.ts'
import type { Validator } from '../validator.ts'

function validateDeployment({ spec }: Deployment): FieldError[] {
  return [
    ...nonNegative('spec.replicas', spec.replicas),
    ...validateSelector(spec.selector, 'deployment'),
    ...validateSelected(spec),
    ...validateStrategy(spec.strategy, 'spec.strategy'),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
    ...nonNegative('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds),
    ...(spec.progressDeadlineSeconds !== undefined &&
    spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)
      ? [
          invalidValue(
            'spec.progressDeadlineSeconds',
            spec.progressDeadlineSeconds,
            'must be greater than minReadySeconds',
          ),
        ]
      : []),
  ]
}

/** Upstream: ValidatePodTemplateSpecForReplicaSet. */
function validateSelected({
  selector,
  template,
}: {
  selector: LabelSelector | null
  template: PodTemplateSpec
}) {
  if (!selector) return []
  const selects = matcherIfValid(selector)
  if (!selects) return [invalidValue('spec.selector', selector, 'invalid label selector')]
  return [
    ...validateTemplateLabels(template, selects),
    ...validateTemplate(template, 'spec.template'),
    ...validateLastingPods(template.spec, 'spec.template.spec', 'ReplicaSet'),
  ]
}

function validateStrategy(strategy: DeploymentStrategy, path: string): FieldError[] {
  const { type, rollingUpdate } = strategy
  if (type === 'Recreate') {
    const detail = "may not be specified when strategy `type` is 'Recreate'"
    return rollingUpdate ? [forbiddenField(`${path}.rollingUpdate`, detail)] : []
  }
  if (type === 'RollingUpdate') {
    if (rollingUpdate) return validateRolling(rollingUpdate, `${path}.rollingUpdate`)
    return [required(`${path}.rollingUpdate`, 'this should be defaulted and never be nil')]
  }
  const shown = internalForm('apps/v1.DeploymentStrategy', strategy as Record<string, unknown>)
  return [notSupported(path, shown, ['Recreate', 'RollingUpdate'])]
}

function validateRolling(rolling: RollingUpdateDeployment, path: string): FieldError[] {
  const { maxUnavailable = 0, maxSurge = 0 } = rolling
  const errors = [
    ...validateIntOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...validateIntOrPercent(maxSurge, `${path}.maxSurge`),
  ]
  if (numberOf(maxUnavailable) === 0 && numberOf(maxSurge) === 0) {
    const detail = 'may not be 0 when `maxSurge` is 0'
    errors.push(invalidValue(`${path}.maxUnavailable`, maxUnavailable, detail))
  }
  return [...errors, ...atMostAll(maxUnavailable, `${path}.maxUnavailable`)]
}

function validateReplicaSet({ spec }: ReplicaSet): FieldError[] {
  return [
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateSelector(spec.selector, 'deployment'),
    ...validateSelected(spec),
  ]
}

/** Of every kind that selects its Pods. */
export function selectorStays(
  object: { spec: { selector?: unknown } },
  old: { spec: { selector?: unknown } },
): FieldError[] {
  return immutable('spec.selector', object.spec.selector, old.spec.selector)
}

const COUNTS = ['observedGeneration', 'replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas']

export const deploymentValidator: Validator = {
  create: validateDeployment,
  update: selectorStays,
  subresources: {
    status: (object: Deployment, old: Deployment) =>
      validateStatusCounts(object, old, {
        counts: [...COUNTS, 'unavailableReplicas', 'terminatingReplicas'],
        ofReplicas: ['updatedReplicas', 'readyReplicas', 'availableReplicas'],
        readyName: 'readyReplicas',
      }),
  },
}

export const replicaSetValidator: Validator = {
  create: validateReplicaSet,
  update: selectorStays,
  subresources: {
    status: (object: ReplicaSet, old: ReplicaSet) =>
      validateStatusCounts(object, old, {
        counts: [
          ...['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
          ...['terminatingReplicas', 'observedGeneration'],
        ],
        ofReplicas: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
        readyName: 'readyReplicas',
      }),
  },
}
