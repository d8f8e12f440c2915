// Upstream: ValidateDaemonSet in pkg/apis/apps/validation.
import type { DaemonSet, DaemonSetUpdateStrategy, RollingUpdateDaemonSet } from '../../types/apps-v1.ts'
import { type FieldError, invalidValue, nonNegative, notSupported, required } from '../field-error.ts'
import { atMostAll, numberOf, validateIntOrPercent } from '../int-or-percent.ts'
import { internalForm } from '../internal-json.ts'
import { validateLabelSelector } from '../label-selector.ts'
import {
  isEmptySelector,
  matcherIfValid,
  validateLastingPods,
  validateTemplate,
  validateTemplateLabels,
} from '../pod-template.ts'
import { validateStatusCounts } from '../status-counts.ts'
import type { Validator } from '../validator.ts'
import { selectorStays } from './deployment.ts'

function validateDaemonSet({ spec }: DaemonSet): FieldError[] {
  const { selector, template } = spec
  // Without a selector nothing is selected, so the labels do not match either.
  const selects = selector ? matcherIfValid(selector) : () => false
  return [
    ...(selector ? validateLabelSelector(selector, 'spec.selector') : []),
    ...(selects ? validateTemplateLabels(template, selects) : []),
    ...(selector && isEmptySelector(selector)
      ? [invalidValue('spec.selector', selector, 'empty selector is invalid for daemonset')]
      : []),
    ...validateTemplate(template, 'spec.template'),
    ...validateLastingPods(template.spec, 'spec.template.spec', 'DaemonSet'),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds),
    ...validateStrategy(spec.updateStrategy, 'spec.updateStrategy'),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit),
  ]
}

function validateStrategy(strategy: DaemonSetUpdateStrategy, path: string): FieldError[] {
  const { type, rollingUpdate } = strategy
  if (type === 'OnDelete') return []
  if (type === 'RollingUpdate') {
    return rollingUpdate
      ? validateRolling(rollingUpdate, `${path}.rollingUpdate`)
      : [required(`${path}.rollingUpdate`)]
  }
  const shown = internalForm('apps/v1.DaemonSetUpdateStrategy', strategy as Record<string, unknown>)
  return [notSupported(path, shown, ['RollingUpdate', 'OnDelete'])]
}

function validateRolling(
  { maxUnavailable = 0, maxSurge = 0 }: RollingUpdateDaemonSet,
  path: string,
): FieldError[] {
  const [unavailable, surge] = [`${path}.maxUnavailable`, `${path}.maxSurge`]
  const errors = [
    ...validateIntOrPercent(maxUnavailable, unavailable),
    ...validateIntOrPercent(maxSurge, surge),
    ...atMostAll(maxUnavailable, unavailable),
    ...atMostAll(maxSurge, surge),
  ]
  const has = [numberOf(maxUnavailable) !== 0, numberOf(maxSurge) !== 0]
  if (has[0] && has[1])
    errors.push(invalidValue(surge, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  if (!has[0] && !has[1]) errors.push(required(unavailable, 'cannot be 0 when maxSurge is 0'))
  return errors
}

export const daemonSetValidator: Validator = {
  create: validateDaemonSet,
  update: selectorStays,
  subresources: {
    status: (object: DaemonSet, old: DaemonSet) =>
      validateStatusCounts(object, old, {
        counts: [
          ...['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady'],
          ...['observedGeneration', 'updatedNumberScheduled', 'numberAvailable', 'numberUnavailable'],
        ],
      }),
  },
}
