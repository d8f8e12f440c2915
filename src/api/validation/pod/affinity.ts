// Upstream: validateAffinity, ValidateNodeSelector, validatePodAffinityTerm.
import { isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName } from '../../names.ts'
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
} from '../../types/core-v1.ts'
import type { LabelSelector } from '../../types/meta-v1.ts'
import { each, type FieldError, forbiddenField, invalidValue, required } from '../field-error.ts'
import { validateLabelSelector } from '../label-selector.ts'

const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'

export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity ?? {}
  return [
    ...(nodeAffinity ? validateNodeAffinity(nodeAffinity, `${path}.nodeAffinity`) : []),
    ...(podAffinity ? validatePodAffinity(podAffinity, `${path}.podAffinity`) : []),
    ...(podAntiAffinity ? validatePodAffinity(podAntiAffinity, `${path}.podAntiAffinity`) : []),
  ]
}

function validateNodeAffinity(affinity: NodeAffinity, path: string): FieldError[] {
  const needed = affinity[REQUIRED]
  return [
    ...(needed ? validateNodeSelector(needed, `${path}.${REQUIRED}`) : []),
    ...(affinity[PREFERRED] ?? []).flatMap(({ weight, preference }, index) => {
      const at = `${path}.${PREFERRED}[${index}]`
      return [...validateWeight(weight, at), ...validateTerm(preference, `${at}.preference`, false)]
    }),
  ]
}

export function validateNodeSelector({ nodeSelectorTerms }: NodeSelector, path: string): FieldError[] {
  const at = `${path}.nodeSelectorTerms`
  const terms = nodeSelectorTerms ?? []
  if (terms.length === 0) return [required(at, 'must have at least one node selector term')]
  return terms.flatMap((term, index) => validateTerm(term, `${at}[${index}]`, true))
}

function validatePodAffinity(affinity: PodAffinity, path: string): FieldError[] {
  return [
    ...(affinity[REQUIRED] ?? []).flatMap((term, index) =>
      validatePodTerm(term, `${path}.${REQUIRED}[${index}]`),
    ),
    ...(affinity[PREFERRED] ?? []).flatMap(({ weight, podAffinityTerm }, index) => {
      const at = `${path}.${PREFERRED}[${index}]`
      return [...validateWeight(weight, at), ...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`)]
    }),
  ]
}

const validateWeight = (weight: number, path: string): FieldError[] =>
  weight >= 1 && weight <= 100 ? [] : [invalidValue(`${path}.weight`, weight, 'must be in the range 1-100')]

/** Values of preferred terms may be anything. */
function validateTerm(term: NodeSelectorTerm, path: string, checkValues: boolean): FieldError[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((requirement, index) =>
      validateExpression(requirement, `${path}.matchExpressions[${index}]`, checkValues),
    ),
    ...(term.matchFields ?? []).flatMap((requirement, index) =>
      validateField(requirement, `${path}.matchFields[${index}]`),
    ),
  ]
}

function validateExpression(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  checkValues: boolean,
): FieldError[] {
  return [
    ...countErrors(operator, values.length, path),
    ...each(`${path}.key`, key, isQualifiedName),
    ...(checkValues ? values : []).flatMap((value, index) =>
      each(`${path}.values[${index}]`, value, isLabelValue),
    ),
  ]
}

function countErrors(operator: string, count: number, path: string): FieldError[] {
  const at = `${path}.values`
  switch (operator) {
    case 'In':
    case 'NotIn':
      return count > 0 ? [] : [required(at, "must be specified when `operator` is 'In' or 'NotIn'")]
    case 'Exists':
    case 'DoesNotExist':
      return count === 0
        ? []
        : [forbiddenField(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
    case 'Gt':
    case 'Lt':
      return count === 1
        ? []
        : [required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'")]
    default:
      return [invalidValue(`${path}.operator`, operator, 'not a valid selector operator')]
  }
}

function validateField({ key, operator, values = [] }: NodeSelectorRequirement, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (operator !== 'In' && operator !== 'NotIn')
    errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
  else if (values.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
    errors.push(required(`${path}.values`, detail))
  }
  if (key !== 'metadata.name')
    return [...errors, invalidValue(`${path}.key`, key, 'not a valid field selector key')]
  return [
    ...errors,
    ...values.flatMap((value, index) => each(`${path}.values[${index}]`, value, isDns1123Subdomain)),
  ]
}

function validatePodTerm(term: PodAffinityTerm, path: string): FieldError[] {
  const { topologyKey, labelSelector, matchLabelKeys, mismatchLabelKeys } = term
  return [
    ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
    ...(term.namespaces ?? []).flatMap(name => each(`${path}.namespace`, name, isDns1123Label)),
    ...validateLabelKeys(path, matchLabelKeys ?? [], mismatchLabelKeys ?? [], labelSelector),
    ...(topologyKey ? [] : [required(`${path}.topologyKey`, 'can not be empty')]),
    ...each(`${path}.topologyKey`, topologyKey ?? '', isQualifiedName),
  ]
}

/** Upstream: ValidateMatchLabelKeysAndMismatchLabelKeys. */
export function validateLabelKeys(
  path: string,
  match: readonly string[],
  mismatch: readonly string[],
  selector: LabelSelector | undefined,
): FieldError[] {
  const lists = { matchLabelKeys: match, mismatchLabelKeys: mismatch }
  const errors = Object.entries(lists).flatMap(([name, keys]) => {
    if (keys.length === 0) return []
    if (!selector)
      return [forbiddenField(`${path}.${name}`, 'must not be specified when labelSelector is not set')]
    return keys.flatMap((key, index) => each(`${path}.${name}[${index}]`, key, isQualifiedName))
  })
  const inSelector = new Set(Object.keys(selector?.matchLabels ?? {}))
  for (const { key } of selector?.matchExpressions ?? []) {
    const index = match.indexOf(key)
    // The keys are in the selector once already, put there when the Pod was made.
    if (index >= 0 && inSelector.has(key)) {
      const detail = 'exists in both matchLabelKeys and labelSelector'
      errors.push(invalidValue(`${path}[${index}]`, key, detail))
    }
    inSelector.add(key)
  }
  for (const [index, key] of match.entries()) {
    if (!mismatch.includes(key)) continue
    const detail = 'exists in both matchLabelKeys and mismatchLabelKeys'
    errors.push(invalidValue(`${path}.matchLabelKeys[${index}]`, key, detail))
  }
  return errors
}
