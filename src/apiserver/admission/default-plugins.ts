// Which plugins there are, in the order in which upstream's kube-apiserver runs them.
import type { Authorizer } from '../authz/authorizer.ts'
import type { AdmissionPlugin } from './admission.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts'
import { claimResize } from './claim-resize.ts'
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { podResize } from './pod-resize.ts'
import { podSecurity } from './pod-security/pod-security.ts'
import { priority } from './priority.ts'
import { type ResourceQuotaParts, resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { type ServiceAccountParts, serviceAccount } from './service-account.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'

export interface DefaultPluginParts extends ServiceAccountParts {
  /** Left out: quotas are not looked at. */
  quota?: Omit<ResourceQuotaParts, 'lookup'>
  /** Left out: anybody who may write certificate requests approves and signs them. */
  authorizer?: Authorizer
}

export function defaultPlugins(parts: DefaultPluginParts): AdmissionPlugin[] {
  const { lookup, quota, authorizer } = parts
  return [
    namespaceLifecycle(lookup),
    limitRanger(lookup),
    serviceAccount(parts),
    nodeRestriction(lookup),
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
    ...(quota ? [resourceQuota({ lookup, ...quota })] : []),
  ]
}
