// Defaults of webhooks and policies. Upstream: pkg/apis/admissionregistration/v1/defaults.go.
import type {
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhook,
  NamedRuleWithOperations,
  RuleWithOperations,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '../types/admissionregistration-v1.ts'

const TIMEOUT_SECONDS = 10

export function defaultMutatingConfiguration({ webhooks = [] }: { webhooks?: MutatingWebhook[] }): void {
  defaultValidatingConfiguration({ webhooks })
  for (const hook of webhooks) hook.reinvocationPolicy ??= 'Never'
}

export function defaultValidatingConfiguration({ webhooks = [] }: { webhooks?: MutatingWebhook[] }): void {
  for (const hook of webhooks) {
    hook.failurePolicy ??= 'Fail'
    hook.matchPolicy ??= 'Equivalent'
    hook.namespaceSelector ??= {}
    hook.objectSelector ??= {}
    hook.timeoutSeconds ??= TIMEOUT_SECONDS
    if (hook.clientConfig?.service) hook.clientConfig.service.port ??= 443
    defaultRules(hook.rules)
  }
}

function defaultRules(rules: (RuleWithOperations | NamedRuleWithOperations)[] = []): void {
  for (const rule of rules) rule.scope ??= '*'
}

export function defaultPolicy({ spec }: ValidatingAdmissionPolicy | MutatingAdmissionPolicy): void {
  if (!spec) return
  spec.failurePolicy ??= 'Fail'
  defaultMatch(spec.matchConstraints)
}

export function defaultPolicyBinding({
  spec,
}: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding): void {
  if (!spec) return
  defaultMatch(spec.matchResources)
  if (spec.paramRef) spec.paramRef.parameterNotFoundAction ??= 'Deny'
}

function defaultMatch(match: MatchResources | undefined): void {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  defaultRules(match.resourceRules)
  defaultRules(match.excludeResourceRules)
}
