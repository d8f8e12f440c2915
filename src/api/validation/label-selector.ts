// metav1.LabelSelector. Upstream: apimachinery pkg/apis/meta/v1/validation ValidateLabelSelector.
import { isLabelValue, isQualifiedName } from '../names.ts'
import type { LabelSelector, LabelSelectorRequirement } from '../types/meta-v1.ts'
import { each, type FieldError, forbiddenField, invalidValue, required } from './field-error.ts'
import { validateLabels } from './object-meta.ts'

export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (!selector) return []
  return [
    ...validateLabels(selector.matchLabels, `${path}.matchLabels`),
    ...(selector.matchExpressions ?? []).flatMap((requirement, index) =>
      validateRequirement(requirement, `${path}.matchExpressions[${index}]`),
    ),
  ]
}

function validateRequirement(
  { key, operator, values = [] }: LabelSelectorRequirement,
  path: string,
): FieldError[] {
  const errors: FieldError[] = []
  switch (operator as string) {
    case 'In':
    case 'NotIn':
      if (values.length === 0)
        errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        errors.push(forbiddenField(`${path}.values`, detail))
      }
      break
    default:
      errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
  }
  return [
    ...errors,
    ...each(`${path}.key`, key, isQualifiedName),
    ...values.flatMap((value, index) => each(`${path}.values[${index}]`, value, isLabelValue)),
  ]
}

/** `app: {}` selects everything and is refused where that cannot be meant. */
export const isEmptySelector = (selector: LabelSelector): boolean =>
  Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0
