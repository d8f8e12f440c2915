// Which plugins there are, in the order in which upstream's kube-apiserver runs them.
import type { AdmissionPlugin } from './admission.ts'
import { claimResize } from './claim-resize.ts'
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { podSecurity } from './pod-security/pod-security.ts'
import { priority } from './priority.ts'
import { type ResourceQuotaParts, resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { type ServiceAccountParts, serviceAccount } from './service-account.ts'

export interface DefaultPluginParts extends ServiceAccountParts {
  /** Left out: quotas are not looked at. */
  quota?: Omit<ResourceQuotaParts, 'lookup'>
}

export function defaultPlugins(parts: DefaultPluginParts): AdmissionPlugin[] {
  const { lookup, quota } = parts
  return [
    namespaceLifecycle(lookup),
    limitRanger(lookup),
    serviceAccount(parts),
    nodeRestriction(lookup),
    podSecurity(lookup),
    priority(lookup),
    defaultTolerationSeconds,
    defaultStorageClass(lookup),
    claimResize(lookup),
    runtimeClass(lookup),
    defaultIngressClass(lookup),
    ...(quota ? [resourceQuota({ lookup, ...quota })] : []),
  ]
}
