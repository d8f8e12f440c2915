// Flow schemas and priority levels. Upstream: pkg/apis/flowcontrol/validation.
import { isDeepStrictEqual } from 'node:util'
import { flowSchemas, MANDATORY, priorityLevels } from '../flow-control/bootstrap.ts'
import { isDns1123Label, isDns1123Subdomain } from '../names.ts'
import type {
  FlowSchema,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  QueuingConfiguration,
  ResourcePolicyRule,
  Subject,
} from '../types/flowcontrol-v1.ts'
import {
  duplicate,
  each,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from './field-error.ts'
import type { Validator } from './validator.ts'

const MOST_PRECEDENCE = 10_000
const MOST_QUEUES = 10_000_000
/** Of the hash that deals requests out to queues. */
const HASH_BITS = 60
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const DISTINGUISHERS = ['ByNamespace', 'ByUser']
const SUBJECT_KINDS = ['Group', 'ServiceAccount', 'User']
const ALL = '*'

function validateFlowSchema({ metadata: { name }, spec }: FlowSchema): FieldError[] {
  const { matchingPrecedence, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec
  const precedence = 'spec.matchingPrecedence'
  const wrong = (text: string) => [invalidValue(precedence, matchingPrecedence, text)]
  const level = priorityLevelConfiguration?.name
  const at = 'spec.priorityLevelConfiguration.name'
  return [
    ...(matchingPrecedence <= 0 ? wrong('must be a positive value') : []),
    ...(matchingPrecedence > MOST_PRECEDENCE ? wrong(`must not be greater than ${MOST_PRECEDENCE}`) : []),
    ...(matchingPrecedence === 1 && name !== 'exempt'
      ? wrong("only the schema named 'exempt' may have matchingPrecedence 1")
      : []),
    ...(distinguisherMethod && !DISTINGUISHERS.includes(distinguisherMethod.type)
      ? [notSupported('spec.distinguisherMethod.type', distinguisherMethod.type, DISTINGUISHERS)]
      : []),
    ...(level ? each(at, level, isDns1123Subdomain) : [required(at, 'must reference a priority level')]),
    ...rules.flatMap((rule, index) => ruleErrors(rule, `spec.rules[${index}]`)),
    ...(MANDATORY.includes(name) && !isDeepStrictEqual(plain(spec), plain(flowSchemas[name]))
      ? [invalidValue('spec', spec, `spec of '${name}' must equal the fixed value`)]
      : []),
  ]
}

/** Frozen or not, with and without fields that are undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function ruleErrors(rule: PolicyRulesWithSubjects, path: string): FieldError[] {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule
  return [
    ...(subjects.length === 0
      ? [required(`${path}.subjects`, 'subjects must contain at least one value')]
      : []),
    ...subjects.flatMap((subject, index) => subjectErrors(subject, `${path}.subjects[${index}]`)),
    ...(resourceRules.length + nonResourceRules.length === 0
      ? [required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty')]
      : []),
    ...resourceRules.flatMap((one, index) => resourceErrors(one, `${path}.resourceRules[${index}]`)),
    ...nonResourceRules.flatMap((one, index) => urlErrors(one, `${path}.nonResourceRules[${index}]`)),
  ]
}

function subjectErrors(subject: Subject, path: string): FieldError[] {
  if (!SUBJECT_KINDS.includes(subject.kind)) {
    return [notSupported(`${path}.kind`, subject.kind, SUBJECT_KINDS)]
  }
  const fields = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const
  return Object.entries(fields).flatMap(([kind, field]) => {
    const value = subject[field]
    const at = `${path}.${field}`
    if (kind !== subject.kind)
      return value ? [forbiddenField(at, `${field} is forbidden when subject kind is not '${kind}'`)] : []
    if (!value) return [required(at, `${field} is required when subject kind is '${kind}'`)]
    const errors = value.name ? [] : [required(`${at}.name`, '')]
    if (kind !== 'ServiceAccount') return errors
    const { name, namespace } = subject.serviceAccount!
    if (name && name !== ALL) errors.push(...each(`${at}.name`, name, isDns1123Subdomain))
    return namespace
      ? [...errors, ...each(`${at}.namespace`, namespace, isDns1123Label)]
      : [...errors, required(`${at}.namespace`, 'must specify namespace for service account')]
  })
}

function verbErrors(verbs: readonly string[], path: string): FieldError[] {
  if (verbs.length === 0) return [required(path, 'verbs must contain at least one value')]
  if (verbs.includes(ALL)) return aloneErrors(verbs, path, 'verbs')
  return verbs.every(verb => VERBS.includes(verb)) ? [] : [notSupported(path, verbs, VERBS)]
}

function aloneErrors(list: readonly string[], path: string, what: string): FieldError[] {
  return list.length > 1 && list.includes(ALL)
    ? [invalidValue(path, list, `if '*' is present, must not specify other ${what}`)]
    : []
}

function resourceErrors(rule: ResourcePolicyRule, path: string): FieldError[] {
  const { verbs = [], apiGroups = [], resources = [], namespaces = [], clusterScope } = rule
  const list = (values: readonly string[], field: string, one: string, many: string) =>
    values.length === 0
      ? [required(`${path}.${field}`, `resource rules must supply at least one ${one}`)]
      : aloneErrors(values, `${path}.${field}`, many)
  const at = `${path}.namespaces`
  const missing = 'resource rules that are not cluster scoped must supply at least one namespace'
  const spaces =
    namespaces.length === 0 && !clusterScope
      ? [required(at, missing)]
      : namespaces.includes(ALL)
        ? aloneErrors(namespaces, at, 'namespaces')
        : namespaces.flatMap((namespace, index) =>
            each(`${at}[${index}]`, namespace, text =>
              isDns1123Label(text).map(
                wrong => `each member of this list must be '*' or a DNS-1123 label; ${wrong}`,
              ),
            ),
          )
  return [
    ...verbErrors(verbs, `${path}.verbs`),
    ...list(apiGroups, 'apiGroups', 'api group', 'api groups'),
    ...list(resources, 'resources', 'resource', 'resources'),
    ...spaces,
  ]
}

function urlErrors({ verbs = [], nonResourceURLs = [] }: NonResourcePolicyRule, path: string): FieldError[] {
  const at = `${path}.nonResourceURLs`
  const urls =
    nonResourceURLs.length === 0
      ? [required(at, 'nonResourceURLs must contain at least one value')]
      : nonResourceURLs.includes(ALL)
        ? aloneErrors(nonResourceURLs, at, 'non-resource URLs')
        : nonResourceURLs.flatMap((url, index) => {
            const problem = urlProblem(url)
            return problem ? [invalidValue(`${at}[${index}]`, url, problem)] : []
          })
  return [...verbErrors(verbs, `${path}.verbs`), ...urls]
}

function urlProblem(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const stars = url.split(ALL).length - 1
  return stars > 1 || (stars === 1 && !url.endsWith('/*'))
    ? 'wildcard can only do suffix matching'
    : undefined
}

function validateLevel({ metadata: { name }, spec }: PriorityLevelConfiguration): FieldError[] {
  const { type, limited, exempt } = spec
  const errors: FieldError[] = []
  if ((name === 'exempt') !== (type === 'Exempt'))
    errors.push(invalidValue('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"))
  if (type === 'Exempt') {
    if (limited) errors.push(forbiddenField('spec.limited', 'must be nil if the type is not Limited'))
    if (exempt) errors.push(...shareErrors(exempt, 'spec.exempt'))
  } else if (type === 'Limited') {
    if (exempt) errors.push(forbiddenField('spec.exempt', 'must be nil if the type is Limited'))
    if (limited) errors.push(...limitedErrors(limited, 'spec.limited'))
    else errors.push(required('spec.limited', 'must not be empty when type is Limited'))
  } else errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']))
  return [...errors, ...mandatoryErrors(name, spec)]
}

function mandatoryErrors(name: string, spec: PriorityLevelConfiguration['spec']): FieldError[] {
  if (!MANDATORY.includes(name)) return []
  const isExempt = name === 'exempt'
  const fixed = (one: object | undefined) => plain(isExempt ? { ...one, exempt: null } : one)
  if (isDeepStrictEqual(fixed(spec), fixed(priorityLevels[name]))) return []
  const but = isExempt ? " except the 'spec.exempt' field" : ''
  return [invalidValue('spec', spec, `spec of '${name}'${but} must equal the fixed value`)]
}

function shareErrors(
  {
    nominalConcurrencyShares,
    lendablePercent,
  }: { nominalConcurrencyShares?: number | null; lendablePercent?: number | null },
  path: string,
): FieldError[] {
  const shares = nominalConcurrencyShares ?? 0
  const percent = lendablePercent ?? 0
  return [
    ...(shares < 0
      ? [invalidValue(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer')]
      : []),
    ...(percent < 0 || percent > 100
      ? [invalidValue(`${path}.lendablePercent`, percent, 'must be between 0 and 100, inclusive')]
      : []),
  ]
}

function limitedErrors(limited: LimitedPriorityLevelConfiguration, path: string): FieldError[] {
  const { borrowingLimitPercent: borrowed, limitResponse } = limited
  return [
    ...shareErrors(limited, path),
    ...(borrowed !== undefined && borrowed !== null && borrowed < 0
      ? [
          invalidValue(
            `${path}.borrowingLimitPercent`,
            borrowed,
            'if specified, must be a non-negative integer',
          ),
        ]
      : []),
    ...responseErrors(limitResponse, `${path}.limitResponse`),
  ]
}

function responseErrors(response: LimitResponse | undefined, path: string): FieldError[] {
  const { type = '', queuing } = response ?? {}
  if (type === 'Reject') {
    const text = 'must be nil if limited.limitResponse.type is not Limited'
    return queuing ? [forbiddenField(`${path}.queuing`, text)] : []
  }
  if (type !== 'Queue') return [notSupported(`${path}.type`, type, ['Queue', 'Reject'])]
  return queuing
    ? queuingErrors(queuing, `${path}.queuing`)
    : [required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited')]
}

function queuingErrors(queuing: QueuingConfiguration, path: string): FieldError[] {
  const { queueLengthLimit = 0, queues = 0, handSize = 0 } = queuing
  const errors: FieldError[] = []
  const wrong = (field: string, value: number, text: string) =>
    errors.push(invalidValue(`${path}.${field}`, value, text))
  if (queueLengthLimit <= 0) wrong('queueLengthLimit', queueLengthLimit, 'must be positive')
  if (queues <= 0) wrong('queues', queues, 'must be positive')
  else if (queues > MOST_QUEUES) wrong('queues', queues, `must not be greater than ${MOST_QUEUES}`)
  const bits = Math.ceil(Math.log2(queues) * handSize)
  if (handSize <= 0) wrong('handSize', handSize, 'must be positive')
  else if (handSize > queues) wrong('handSize', handSize, `should not be greater than queues (${queues})`)
  else if (bits > HASH_BITS) {
    const text = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${HASH_BITS}`
    wrong('handSize', handSize, text)
  }
  return errors
}

function conditionErrors({ status }: FlowSchema | PriorityLevelConfiguration): FieldError[] {
  const seen = new Set<string>()
  return (status?.conditions ?? []).flatMap(({ type = '' }, index) => {
    const at = `status.conditions[${index}].type`
    const errors = seen.has(type) ? [duplicate(at, type)] : []
    seen.add(type)
    return type ? errors : [...errors, required(at, 'must not be empty')]
  })
}

const GROUP = 'flowcontrol.apiserver.k8s.io'

export const flowControlChecks: Record<string, Validator> = {
  [`${GROUP}/FlowSchema`]: { create: validateFlowSchema, subresources: { status: conditionErrors } },
  [`${GROUP}/PriorityLevelConfiguration`]: {
    create: validateLevel,
    subresources: { status: conditionErrors },
  },
}
