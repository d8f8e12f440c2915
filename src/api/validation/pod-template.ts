// Pod templates of the workload kinds. Upstream: ValidatePodTemplateSpec, and what apps/validation asks besides.
import { type LabelMatcher, matcherOf } from '../labels.ts'
import type { PodSpec, PodTemplateSpec } from '../types/core-v1.ts'
import type { LabelSelector } from '../types/meta-v1.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from './field-error.ts'
import { validateLabelSelector } from './label-selector.ts'
import { validateAnnotations, validateLabels } from './object-meta.ts'
import { validatePodSpec } from './pod/pod-spec.ts'

/** Everything wrong with a template's own metadata and spec. */
export function validateTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  return [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...validatePodSpec(template.spec, `${path}.spec`),
    ...((template.spec.ephemeralContainers ?? []).length > 0
      ? [
          forbiddenField(
            `${path}.spec.ephemeralContainers`,
            'ephemeral containers not allowed in pod template',
          ),
        ]
      : []),
  ]
}

/** A controller that keeps Pods running: they must not end by themselves. `kind` as in 'ReplicaSet'. */
export function validateLastingPods(spec: PodSpec, path: string, kind: string): FieldError[] {
  const errors: FieldError[] = []
  if (spec.restartPolicy !== 'Always')
    errors.push(notSupported(`${path}.restartPolicy`, spec.restartPolicy ?? '', ['Always']))
  if (spec.activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`
    errors.push(forbiddenField(`${path}.activeDeadlineSeconds`, detail))
  }
  return errors
}

/** `what` names the kind in the text: 'deployment'. */
export function validateSelector(selector: LabelSelector | null | undefined, what: string): FieldError[] {
  if (!selector) return [required('spec.selector')]
  const errors = validateLabelSelector(selector, 'spec.selector')
  if (isEmptySelector(selector))
    errors.push(invalidValue('spec.selector', selector, `empty selector is invalid for ${what}`))
  return errors
}

export const isEmptySelector = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.keys(matchLabels ?? {}).length + (matchExpressions ?? []).length === 0

/** undefined for a selector that cannot be read, which validateSelector tells. */
export function matcherIfValid(selector: LabelSelector | null | undefined): LabelMatcher | undefined {
  if (!selector || validateLabelSelector(selector, '').length > 0) return undefined
  return matcherOf(selector)
}

/** The selector must find the Pods that are made. */
export function validateTemplateLabels(
  template: PodTemplateSpec,
  selects: LabelMatcher,
  path = 'spec.template.metadata.labels',
): FieldError[] {
  const labels = template.metadata?.labels
  return selects(labels)
    ? []
    : [invalidValue(path, labels ?? null, '`selector` does not match template `labels`')]
}
