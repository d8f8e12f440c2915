// Upstream: ValidateStatefulSet in pkg/apis/apps/validation.
import { isDns1123Label } from '../../names.ts'
import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from '../../types/apps-v1.ts'
import type { PodTemplateSpec } from '../../types/core-v1.ts'
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  nonNegative,
  notSupported,
  required,
  same,
} from '../field-error.ts'
import { atMostAll, numberOf, validateIntOrPercent } from '../int-or-percent.ts'
import { internalForm } from '../internal-json.ts'
import { validateClaimSpec } from '../persistent-volume-claim.ts'
import {
  matcherIfValid,
  validateLastingPods,
  validateSelector,
  validateTemplate,
  validateTemplateLabels,
} from '../pod-template.ts'
import { validateStatusCounts } from '../status-counts.ts'
import type { Validator } from '../validator.ts'

function validateStatefulSet({ spec }: StatefulSet): FieldError[] {
  return [
    ...validatePolicy(spec.podManagementPolicy),
    ...validateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...validateRetention(spec),
    ...nonNegative('spec.replicas', spec.replicas),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...nonNegative('spec.ordinals.start', spec.ordinals?.start),
    ...validateSelector(spec.selector, 'statefulset'),
    ...validateSelected(spec),
    ...(spec.volumeClaimTemplates ?? []).flatMap(({ spec: claim }, index) =>
      validateClaimSpec(claim, `spec.volumeClaimTemplates[${index}].spec`),
    ),
  ]
}

function validatePolicy(policy: string | undefined): FieldError[] {
  if (!policy) return [required('spec.podManagementPolicy')]
  if (policy === 'OrderedReady' || policy === 'Parallel') return []
  return [invalidValue('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'")]
}

function validateStrategy(strategy: StatefulSetUpdateStrategy, path: string): FieldError[] {
  const { type, rollingUpdate } = strategy
  const shown = (value: object, of: string) => internalForm(`apps/v1.${of}`, value as Record<string, unknown>)
  if (!type) return [required(path)]
  if (type === 'OnDelete') {
    const form = rollingUpdate && shown(rollingUpdate, 'RollingUpdateStatefulSetStrategy')
    const detail = "only allowed for updateStrategy 'RollingUpdate'"
    return rollingUpdate ? [invalidValue(`${path}.rollingUpdate`, form, detail)] : []
  }
  if (type !== 'RollingUpdate') {
    const form = shown(strategy, 'StatefulSetUpdateStrategy')
    return [invalidValue(path, form, "must be 'RollingUpdate' or 'OnDelete'")]
  }
  if (!rollingUpdate) return []
  const { partition, maxUnavailable } = rollingUpdate
  const at = `${path}.rollingUpdate.maxUnavailable`
  return [
    ...nonNegative(`${path}.rollingUpdate.partition`, partition),
    ...(maxUnavailable === undefined
      ? []
      : [
          ...validateIntOrPercent(maxUnavailable, at),
          ...(numberOf(maxUnavailable) === 0 ? [invalidValue(at, maxUnavailable, 'cannot be 0')] : []),
          ...atMostAll(maxUnavailable, at),
        ]),
  ]
}

const RETENTIONS = ['Retain', 'Delete']

function validateRetention({ persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec): FieldError[] {
  if (!policy) return []
  const at = 'spec.persistentVolumeClaimRetentionPolicy'
  return (['whenDeleted', 'whenScaled'] as const)
    .filter(field => !RETENTIONS.includes(policy[field] ?? ''))
    .map(field => notSupported(`${at}.${field}`, policy[field] ?? '', RETENTIONS))
}

function validateSelected(spec: StatefulSetSpec): FieldError[] {
  const { selector, template } = spec
  if (!selector) return []
  const selects = matcherIfValid(selector)
  if (!selects) return [invalidValue('spec.selector', selector, '')]
  return [
    ...validateTemplateLabels(template, selects),
    ...validateTemplate(withClaims(template, spec), 'spec.template'),
    ...validateLastingPods(template.spec, 'spec.template.spec', 'StatefulSet'),
  ]
}

/** The template as its Pods will be: containers may mount the claims, which take the place of other volumes. */
function withClaims(
  template: PodTemplateSpec,
  { volumeClaimTemplates = [] }: StatefulSetSpec,
): PodTemplateSpec {
  const names = new Set(volumeClaimTemplates.map(({ metadata }) => metadata.name))
  const others = (template.spec.volumes ?? []).filter(({ name }) => !names.has(name))
  const claims = [...names].map(name => ({ name, persistentVolumeClaim: { claimName: name } }))
  return { ...template, spec: { ...template.spec, volumes: [...others, ...claims] } }
}

const MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const

const FIXED_SPEC =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

function validateUpdate({ spec }: StatefulSet, old: StatefulSet): FieldError[] {
  const fixed = (of: StatefulSetSpec) =>
    Object.fromEntries(
      Object.entries(of).filter(([field]) => !(MUTABLE as readonly string[]).includes(field)),
    )
  return same(fixed(spec), fixed(old.spec)) ? [] : [forbiddenField('spec', FIXED_SPEC)]
}

export const statefulSetValidator: Validator = {
  // Its Pods' names and host names are made of it.
  name: isDns1123Label,
  create: validateStatefulSet,
  update: validateUpdate,
  subresources: {
    status: (object: StatefulSet, old: StatefulSet) =>
      validateStatusCounts(object, old, {
        counts: [
          ...['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
          'observedGeneration',
        ],
        ofReplicas: ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'],
        readyName: 'status.readyReplicas',
      }),
  },
}
