// LimitRanges and ResourceQuotas. Upstream: ValidateLimitRange and ValidateResourceQuota in pkg/apis/core/validation.
import { isQualifiedName } from '../names.ts'
import { parseAmounts, type ResourceAmounts } from '../pod/resources.ts'
import { isClaimResource } from '../quota/claim-usage.ts'
import { isPodResource } from '../quota/pod-usage.ts'
import { isServiceResource } from '../quota/service-usage.ts'
import type { LimitRange, LimitRangeItem, ResourceQuota } from '../types/core-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  immutable,
  invalidValue,
  required,
} from './field-error.ts'
import type { Validator } from './validator.ts'

const LIMIT_FIELDS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const seen = new Set<string>()
  return spec.limits.flatMap((item, index) => {
    const path = `spec.limits[${index}]`
    const repeated = seen.has(item.type) ? [duplicate(`${path}.type`, item.type)] : []
    seen.add(item.type)
    return [...repeated, ...itemErrors(item, path)]
  })
}

function itemErrors(item: LimitRangeItem, path: string): FieldError[] {
  const [max, min, standard, request, ratio] = LIMIT_FIELDS.map(field => parseAmounts(item[field])) as Lists
  const errors: FieldError[] = []
  if (item.type === 'Pod') {
    const only = "may not be specified when `type` is 'Pod'"
    if (standard.size > 0) errors.push(forbiddenField(`${path}.default`, only))
    if (request.size > 0) errors.push(forbiddenField(`${path}.defaultRequest`, only))
  }
  if (item.type === 'PersistentVolumeClaim' && !min.has('storage') && !max.has('storage')) {
    errors.push(
      required(
        `${path}.limits`,
        'either minimum or maximum storage value is required, but neither was provided',
      ),
    )
  }
  const names = new Set([max, min, standard, request, ratio].flatMap(list => [...list.keys()]))
  return [
    ...errors,
    ...[...names].flatMap(name => boundErrors(name, [max, min, standard, request, ratio], path)),
  ]
}

type Lists = [ResourceAmounts, ResourceAmounts, ResourceAmounts, ResourceAmounts, ResourceAmounts]

function boundErrors(name: string, lists: Lists, path: string): FieldError[] {
  const [max, min, standard, request, ratio] = lists.map(list => list.get(name))
  const errors: FieldError[] = []
  const check = (
    field: string,
    low: typeof max,
    high: typeof max,
    lowText: string,
    highText: string,
    shown = low,
  ) => {
    if (!low || !high || low.compare(high) <= 0) return
    const detail = `${lowText} value ${low} is greater than ${highText} value ${high}`
    errors.push(invalidValue(`${path}.${field}[${name}]`, String(shown), detail))
  }
  check('min', min, max, 'min', 'max')
  check('defaultRequest', min, request, 'min', 'default request', request)
  check('defaultRequest', request, max, 'default request', 'max')
  check('defaultRequest', request, standard, 'default request', 'default limit')
  check('default', min, standard, 'min', 'default', standard)
  check('default', standard, max, 'default', 'max')
  if (ratio && ratio.milliValue() < 1000) {
    errors.push(
      invalidValue(`${path}.maxLimitRequestRatio[${name}]`, String(ratio), `ratio ${ratio} is less than 1`),
    )
  }
  return errors
}

const COUNTED = new Set(['replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps'])
const WHOLE = new Set([
  ...COUNTED,
  'pods',
  'services',
  'services.nodeports',
  'services.loadbalancers',
  'persistentvolumeclaims',
])

function validateQuota({ spec }: ResourceQuota): FieldError[] {
  const hard = Object.entries(spec.hard ?? {}).flatMap(([name, text]) =>
    hardErrors(name, text, `spec.hard[${name}]`),
  )
  return [...hard, ...scopeErrors(spec.scopes ?? [], Object.keys(spec.hard ?? {}))]
}

function hardErrors(name: string, text: string, path: string): FieldError[] {
  const errors = each(path, name, isQualifiedName)
  if (!name.includes('/') && !isStandard(name)) {
    errors.push(invalidValue(path, name, 'must be a standard resource for quota'))
  }
  const amount = parseAmounts({ [name]: text }).get(name)!
  if (amount.sign < 0) errors.push(invalidValue(path, String(amount), 'must be greater than or equal to 0'))
  if (WHOLE.has(name) && amount.milliValue() % 1000 !== 0)
    errors.push(invalidValue(path, String(amount), 'must be an integer'))
  return errors
}

const isStandard = (name: string) =>
  isPodResource(name) || isServiceResource(name) || isClaimResource(name) || COUNTED.has(name)

const SCOPES = new Set([
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
])
const OPPOSITES = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
]

function scopeErrors(scopes: readonly string[], names: readonly string[]): FieldError[] {
  const path = 'spec.scopes'
  const errors = scopes.flatMap(scope => {
    if (!SCOPES.has(scope)) return [invalidValue(path, scopes, 'unsupported scope')]
    const fits =
      scope === 'VolumeAttributesClass'
        ? isClaimResource
        : scope === 'BestEffort'
          ? isCountOfPods
          : isPodResource
    return names.every(name => name.startsWith('count/') || fits(name))
      ? []
      : [invalidValue(path, scopes, 'unsupported scope applied to resource')]
  })
  const conflicts = OPPOSITES.some(pair => pair.every(scope => scopes.includes(scope)))
  return conflicts ? [...errors, invalidValue(path, scopes, 'conflicting scopes')] : errors
}

/** Pods of the lowest class ask for nothing that could be counted. */
const isCountOfPods = (name: string) => name === 'pods'

export const limitChecks: Record<string, Validator> = {
  '/LimitRange': { create: validateLimitRange },
  '/ResourceQuota': {
    create: validateQuota,
    update: ({ spec }: ResourceQuota, old: ResourceQuota) =>
      immutable('spec.scopes', spec.scopes, old.spec.scopes),
  },
}
