// Configurations of webhooks and policies. Upstream: pkg/apis/admissionregistration/validation.
import type {
  MutatingWebhook,
  MutatingWebhookConfiguration,
  RuleWithOperations,
  WebhookClientConfig,
} from '../types/admissionregistration-v1.ts'
import { duplicate, type FieldError, invalidValue, notSupported, required } from './field-error.ts'
import { conditionErrors } from './policy-expressions.ts'
import type { Validator } from './validator.ts'

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const SIDE_EFFECTS = ['None', 'NoneOnDryRun']
const VERSIONS = ['v1', 'v1beta1']
const LONGEST_TIMEOUT = 30

function validateConfiguration({ webhooks = [] }: MutatingWebhookConfiguration): FieldError[] {
  const seen = new Set<string>()
  return webhooks.flatMap((hook, index) => {
    const path = `webhooks[${index}]`
    const repeated = seen.has(hook.name) ? [duplicate(`${path}.name`, hook.name)] : []
    seen.add(hook.name)
    return [...validateWebhook(hook, path), ...repeated]
  })
}

function validateWebhook(hook: MutatingWebhook, path: string): FieldError[] {
  const { name, rules = [], sideEffects, timeoutSeconds, admissionReviewVersions = [], clientConfig } = hook
  return [
    ...nameErrors(name, `${path}.name`),
    ...rules.flatMap((rule, index) => ruleErrors(rule, `${path}.rules[${index}]`)),
    ...(sideEffects && SIDE_EFFECTS.includes(sideEffects)
      ? []
      : [
          sideEffects
            ? notSupported(`${path}.sideEffects`, sideEffects, SIDE_EFFECTS)
            : required(`${path}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`),
        ]),
    ...(timeoutSeconds !== undefined && (timeoutSeconds < 1 || timeoutSeconds > LONGEST_TIMEOUT)
      ? [
          invalidValue(
            `${path}.timeoutSeconds`,
            timeoutSeconds,
            'the timeout value must be between 1 and 30 seconds',
          ),
        ]
      : []),
    ...versionErrors(admissionReviewVersions, `${path}.admissionReviewVersions`),
    ...clientErrors(clientConfig, `${path}.clientConfig`),
    ...conditionErrors(hook.matchConditions ?? [], `${path}.matchConditions`, false),
  ]
}

/** At least three parts, so that nobody takes another's name. */
function nameErrors(name: string, path: string): FieldError[] {
  if (!name) return [required(path)]
  return name.split('.').length >= 3
    ? []
    : [invalidValue(path, name, 'should be a domain with at least three segments separated by dots')]
}

export function ruleErrors(
  { operations = [], apiGroups = [], apiVersions = [], resources = [] }: RuleWithOperations,
  path: string,
): FieldError[] {
  const mixed = (list: readonly string[], field: string) =>
    list.includes('*') && list.length > 1
      ? [invalidValue(`${path}.${field}`, list, `if '*' is present, must not specify other ${words[field]}`)]
      : []
  const words: Record<string, string> = {
    operations: 'operations',
    apiGroups: 'API groups',
    apiVersions: 'API versions',
  }
  return [
    ...(operations.length === 0 ? [required(`${path}.operations`)] : []),
    ...operations.flatMap((one, index) =>
      OPERATIONS.includes(one) ? [] : [notSupported(`${path}.operations[${index}]`, one, OPERATIONS)],
    ),
    ...mixed(operations, 'operations'),
    ...(apiGroups.length === 0 ? [required(`${path}.apiGroups`)] : []),
    ...mixed(apiGroups, 'apiGroups'),
    ...(apiVersions.length === 0 ? [required(`${path}.apiVersions`)] : []),
    ...mixed(apiVersions, 'apiVersions'),
    ...(resources.length === 0 ? [required(`${path}.resources`)] : []),
  ]
}

function versionErrors(versions: readonly string[], path: string): FieldError[] {
  if (versions.length === 0) {
    return [required(path, `must specify one of ${VERSIONS.join(', ')}`)]
  }
  return versions.some(version => VERSIONS.includes(version))
    ? []
    : [invalidValue(path, versions, `must include at least one of ${VERSIONS.join(', ')}`)]
}

function clientErrors({ url, service }: WebhookClientConfig, path: string): FieldError[] {
  if ((url === undefined) === (service === undefined)) {
    return [required(path, 'exactly one of url or service is required')]
  }
  if (service) {
    return [
      ...(service.name ? [] : [required(`${path}.service.name`, 'service name is required')]),
      ...(service.namespace ? [] : [required(`${path}.service.namespace`, 'service namespace is required')]),
    ]
  }
  if (!URL.canParse(url ?? '')) return [required(`${path}.url`, 'url must be a valid URL')]
  const { protocol, username, search, hash } = new URL(url!)
  const form = '; desired format: https://host[/path]'
  return [
    ...(protocol === 'https:'
      ? []
      : [
          invalidValue(`${path}.url`, protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`),
        ]),
    ...(username
      ? [invalidValue(`${path}.url`, username, `user information is not permitted in the URL`)]
      : []),
    ...(hash ? [invalidValue(`${path}.url`, hash.slice(1), 'fragments are not permitted in the URL')] : []),
    ...(search
      ? [invalidValue(`${path}.url`, search.slice(1), 'query parameters are not permitted in the URL')]
      : []),
  ]
}

const GROUP = 'admissionregistration.k8s.io'

export const admissionChecks: Record<string, Validator> = {
  [`${GROUP}/MutatingWebhookConfiguration`]: { create: validateConfiguration },
  [`${GROUP}/ValidatingWebhookConfiguration`]: { create: validateConfiguration },
}
