// Upstream: ValidateReplicationController in pkg/apis/core/validation.
import { matchesAll } from '../../labels.ts'
import type { PodTemplateSpec, ReplicationController } from '../../types/core-v1.ts'
import { type FieldError, nonNegative, required } from '../field-error.ts'
import { validateLastingPods, validateTemplate, validateTemplateLabels } from '../pod-template.ts'
import { validateStatusCounts } from '../status-counts.ts'
import type { Validator } from '../validator.ts'

function validateReplicationController({ spec }: ReplicationController): FieldError[] {
  const { selector = {}, replicas, minReadySeconds } = spec
  const template = spec.template as PodTemplateSpec | undefined
  return [
    ...nonNegative('spec.minReadySeconds', minReadySeconds),
    ...(Object.keys(selector).length === 0 ? [required('spec.selector')] : []),
    ...(replicas === undefined ? [required('spec.replicas')] : nonNegative('spec.replicas', replicas)),
    ...(template ? validateSelected(template, selector) : [required('spec.template')]),
  ]
}

function validateSelected(template: PodTemplateSpec, selector: Record<string, string>): FieldError[] {
  return [
    ...validateTemplateLabels(template, labels => matchesAll(selector, labels)),
    ...validateTemplate(template, 'spec.template'),
    ...validateLastingPods(template.spec, 'spec.template.spec', 'ReplicationController'),
  ]
}

export const replicationControllerValidator: Validator = {
  create: validateReplicationController,
  subresources: {
    status: (object: ReplicationController, old: ReplicationController) =>
      validateStatusCounts(object, old, {
        counts: [
          ...['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
          'observedGeneration',
        ],
        ofReplicas: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
        readyName: 'readyReplicas',
      }),
  },
}
