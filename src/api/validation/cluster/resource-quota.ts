// ResourceQuotas. Upstream: ValidateResourceQuota and its updates in pkg/apis/core/validation.
import type {
  ResourceQuota,
  ResourceQuotaSpec,
  ResourceQuotaStatus,
  ScopedResourceSelectorRequirement,
} from '../../types/core-v1.ts'
import { type FieldError, IMMUTABLE, invalidValue, required } from '../field-error.ts'
import { validateObjectMetaUpdate } from '../object-meta.ts'
import { isQuotaName, validateAmount, validateQuotaResourceName } from '../resource-names.ts'
import type { Validator } from '../validator.ts'

const PODS = ['pods']
const COMPUTE = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
const OF_PODS = new Set([...PODS, ...COMPUTE])

/** Scope → what it can be counted for. */
const SCOPES: Record<string, ReadonlySet<string>> = {
  Terminating: OF_PODS,
  NotTerminating: OF_PODS,
  BestEffort: new Set(PODS),
  NotBestEffort: OF_PODS,
  PriorityClass: OF_PODS,
  CrossNamespacePodAffinity: OF_PODS,
  VolumeAttributesClass: new Set(['persistentvolumeclaims', 'requests.storage']),
}
const WITHOUT_VALUE = [
  'BestEffort',
  'NotBestEffort',
  'Terminating',
  'NotTerminating',
  'CrossNamespacePodAffinity',
]
const ONLY_EXISTS =
  "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity"
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
]

function validateAmounts(amounts: Record<string, string> | undefined, path: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, text]) => [
    ...validateQuotaResourceName(name, `${path}[${name}]`),
    ...validateAmount(name, text, `${path}[${name}]`),
  ])
}

const validateStatus = ({ hard, used }: ResourceQuotaStatus): FieldError[] => [
  ...validateAmounts(hard, 'status.hard'),
  ...validateAmounts(used, 'status.used'),
]

const validateSpec = (spec: ResourceQuotaSpec): FieldError[] => [
  ...validateAmounts(spec.hard, 'spec.hard'),
  ...validateScopes(spec),
  ...validateScopeSelector(spec),
]

/** How many of the quota's resources the scope says nothing about. */
const misfits = (scope: string, { hard = {} }: ResourceQuotaSpec) =>
  Object.keys(hard).filter(name => isQuotaName(name) && !SCOPES[scope]?.has(name))

function validateScopes(spec: ResourceQuotaSpec): FieldError[] {
  const { scopes = [] } = spec
  const refuse = (detail: string) => invalidValue('spec.scopes', scopes, detail)
  return [
    ...scopes.flatMap(scope => [
      ...(SCOPES[scope] ? [] : [refuse('unsupported scope')]),
      ...misfits(scope, spec).map(() => refuse('unsupported scope applied to resource')),
    ]),
    ...conflicts(scopes).map(() => refuse('conflicting scopes')),
  ]
}

const conflicts = (scopes: readonly string[]) =>
  OPPOSITES.filter(pair => pair.every(scope => scopes.includes(scope)))

function validateScopeSelector(spec: ResourceQuotaSpec): FieldError[] {
  if (!spec.scopeSelector) return []
  const path = 'spec.scopeSelector.matchExpressions'
  const requirements = spec.scopeSelector.matchExpressions ?? []
  const names = requirements.map(({ scopeName }) => scopeName)
  return [
    ...requirements.flatMap(requirement => [
      ...(SCOPES[requirement.scopeName]
        ? []
        : [invalidValue(`${path}.scopeName`, requirement.scopeName, 'unsupported scope')]),
      ...misfits(requirement.scopeName, spec).map(() =>
        invalidValue(path, spec.scopeSelector, 'unsupported scope applied to resource'),
      ),
      ...validateOperator(requirement, path),
    ]),
    ...conflicts(names).map(() => invalidValue(path, spec.scopes ?? null, 'conflicting scopes')),
  ]
}

function validateOperator(requirement: ScopedResourceSelectorRequirement, path: string): FieldError[] {
  const { scopeName, operator, values = [] } = requirement
  const errors: FieldError[] = []
  if (WITHOUT_VALUE.includes(scopeName) && operator !== 'Exists')
    errors.push(invalidValue(`${path}.operator`, operator, ONLY_EXISTS))
  if (operator === 'In' || operator === 'NotIn') {
    const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
    if (values.length === 0) errors.push(required(`${path}.values`, detail))
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
    if (values.length > 0) errors.push(invalidValue(`${path}.values`, values, detail))
  } else errors.push(invalidValue(`${path}.operator`, operator, 'not a valid selector operator'))
  return errors
}

function validateUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  const [after, before] = [quota, old].map(({ spec }) => new Set<string>(spec.scopes ?? []))
  const errors = [...validateObjectMetaUpdate(quota.metadata, old.metadata), ...validateSpec(quota.spec)]
  if (after!.symmetricDifference(before!).size > 0)
    errors.push(invalidValue('spec.scopes', quota.spec.scopes ?? null, IMMUTABLE))
  return errors
}

export const resourceQuotaValidator: Validator = {
  create: ({ spec, status }: ResourceQuota) => [...validateSpec(spec), ...validateStatus(status ?? {})],
  subresources: {
    '': validateUpdate,
    status: ({ metadata, status }: ResourceQuota, old: ResourceQuota) => [
      ...validateObjectMetaUpdate(metadata, old.metadata),
      ...(metadata.resourceVersion ? [] : [required('resourceVersion')]),
      ...validateStatus(status ?? {}),
    ],
  },
}
