// Which plugins there are, in the order in which upstream's kube-apiserver runs them.
import type { Authorizer } from '../authz/authorizer.ts'
import type { AdmissionPlugin } from './admission.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts'
import { claimResize } from './claim-resize.ts'
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { deviceAdminAccess } from './device-admin-access.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction/node-restriction.ts'
import type { ObjectLookup } from './object-lookup.ts'
import { podResize } from './pod-resize.ts'
import { podSecurity } from './pod-security/pod-security.ts'
import { type MutatingPolicyParts, mutatingPolicies } from './policy/mutating-policies.ts'
import { validatingPolicies } from './policy/validating-policies.ts'
import { conditionsHold, requestVariables } from './policy/variables.ts'
import { priority } from './priority.ts'
import { type ResourceQuotaParts, resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { type ServiceAccountParts, serviceAccount } from './service-account.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'
import { mutatingWebhooks, validatingWebhooks, type WebhookParts } from './webhook/webhooks.ts'

export interface DefaultPluginParts extends ServiceAccountParts {
  /** Left out: quotas are not looked at. */
  quota?: Omit<ResourceQuotaParts, 'lookup'>
  /** Left out: anybody who may write certificate requests approves and signs them. */
  authorizer?: Authorizer
  /** Left out: webhooks and policies are not asked. Needs the authorizer. */
  extensions?: Omit<MutatingPolicyParts, 'lookup' | 'authorizer'> &
    Omit<WebhookParts, 'lookup' | 'conditionsHold'>
}

export function defaultPlugins(parts: DefaultPluginParts): AdmissionPlugin[] {
  const { lookup, quota, authorizer, extensions } = parts
  return [
    namespaceLifecycle(lookup),
    limitRanger(lookup),
    serviceAccount(parts),
    nodeRestriction(lookup),
    taintNodesByCondition,
    podSecurity(lookup),
    priority(lookup),
    defaultTolerationSeconds,
    defaultStorageClass(lookup),
    storageObjectInUseProtection,
    claimResize(lookup),
    runtimeClass(lookup),
    ...(authorizer ? [certificateApproval(authorizer), certificateSigning(authorizer)] : []),
    certificateSubjectRestriction,
    defaultIngressClass(lookup),
    podResize(lookup),
    deviceAdminAccess(lookup),
    ...(authorizer && extensions ? extensionPlugins(lookup, authorizer, extensions) : []),
    ...(quota ? [resourceQuota({ lookup, ...quota })] : []),
  ]
}

function extensionPlugins(
  lookup: ObjectLookup,
  authorizer: Authorizer,
  extensions: NonNullable<DefaultPluginParts['extensions']>,
): AdmissionPlugin[] {
  const parts: MutatingPolicyParts & WebhookParts = {
    ...extensions,
    lookup,
    authorizer,
    async conditionsHold(conditions, attributes) {
      const namespaceObject = attributes.namespace ? lookup.namespace(attributes.namespace) : undefined
      return conditionsHold(conditions, requestVariables(attributes, { authorizer, namespaceObject }))
    },
  }
  const [first, again] = mutatingPolicies(parts)
  return [first, mutatingWebhooks(parts), again, validatingPolicies(parts), validatingWebhooks(parts)]
}
