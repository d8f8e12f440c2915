// Upstream: validateAffinity and ValidateNodeSelector.
import { isQualifiedName } from '../../names.ts'
import type { Affinity, NodeSelectorTerm, PodAffinityTerm } from '../../types/core-v1.ts'
import {
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from '../field-error.ts'

export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  if (!affinity) return []
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity
  const errors: FieldError[] = []
  const requiredNode = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (requiredNode) {
    const at = `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`
    const terms = requiredNode.nodeSelectorTerms ?? []
    if (terms.length === 0) errors.push(required(at, 'must have at least one node selector term'))
    errors.push(...terms.flatMap((term, index) => validateTerm(term, `${at}[${index}]`)))
  }
  for (const [index, preferred] of (
    nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  ).entries()) {
    const at = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${index}]`
    errors.push(
      ...weight(preferred.weight, `${at}.weight`),
      ...validateTerm(preferred.preference, `${at}.preference`),
    )
  }
  for (const [name, part] of Object.entries({ podAffinity, podAntiAffinity })) {
    for (const [index, term] of (part?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      errors.push(
        ...validatePodTerm(term, `${path}.${name}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`),
      )
    }
    for (const [index, preferred] of (
      part?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    ).entries()) {
      const at = `${path}.${name}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`
      errors.push(
        ...weight(preferred.weight, `${at}.weight`),
        ...validatePodTerm(preferred.podAffinityTerm, `${at}.podAffinityTerm`),
      )
    }
  }
  return errors
}

const weight = (value: number, path: string) =>
  value >= 1 && value <= 100 ? [] : [invalidValue(path, value, 'must be in the range 1-100')]

const OPERATORS = ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn']

function validateTerm(term: NodeSelectorTerm, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [index, { key, operator, values = [] }] of (term.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        errors.push(
          forbiddenField(
            `${at}.values`,
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          ),
        )
    } else if (operator === 'Gt' || operator === 'Lt') {
      if (values.length !== 1)
        errors.push(
          required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
        )
    } else errors.push(notSupported(`${at}.operator`, operator, OPERATORS))
    errors.push(...each(`${at}.key`, key, isQualifiedName))
  }
  for (const [index, { key, operator, values = [] }] of (term.matchFields ?? []).entries()) {
    const at = `${path}.matchFields[${index}]`
    if (operator !== 'In' && operator !== 'NotIn')
      errors.push(notSupported(`${at}.operator`, operator, ['In', 'NotIn']))
    else if (values.length !== 1) {
      errors.push(
        required(
          `${at}.values`,
          "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ),
      )
    }
    if (key !== 'metadata.name') errors.push(invalidValue(`${at}.key`, key, 'not a valid field selector key'))
  }
  return errors
}

function validatePodTerm(term: PodAffinityTerm, path: string): FieldError[] {
  if (!term.topologyKey) return [required(`${path}.topologyKey`, 'can not be empty')]
  return each(`${path}.topologyKey`, term.topologyKey, isQualifiedName)
}
