// Which plugins there are, in the order in which upstream's kube-apiserver runs them. LimitRanger belongs between
// NamespaceLifecycle and ServiceAccount, ResourceQuota last of all.
import type { AdmissionPlugin } from './admission.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { priority } from './priority.ts'
import { type ServiceAccountParts, serviceAccount } from './service-account.ts'

export function defaultPlugins(parts: ServiceAccountParts): AdmissionPlugin[] {
  return [
    namespaceLifecycle(parts.lookup),
    serviceAccount(parts),
    nodeRestriction(parts.lookup),
    priority(parts.lookup),
    defaultTolerationSeconds,
  ]
}
