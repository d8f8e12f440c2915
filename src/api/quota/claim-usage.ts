// What a PersistentVolumeClaim costs. Upstream: pkg/quota/v1/evaluator/core/persistent_volume_claims.go.
import { Quantity } from '../quantity.ts'
import type { PersistentVolumeClaim } from '../types/core-v1.ts'
import { one, type ResourceAmounts } from './amounts.ts'

const NAMES = new Set(['count/persistentvolumeclaims', 'persistentvolumeclaims', 'requests.storage'])
const CLASS_SUFFIX = '.storageclass.storage.k8s.io/'
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class'

export const isClaimResource = (name: string): boolean => NAMES.has(name) || name.includes(CLASS_SUFFIX)

export function claimUsage({ metadata, spec, status }: PersistentVolumeClaim): ResourceAmounts {
  const usage: ResourceAmounts = new Map([
    ['count/persistentvolumeclaims', one],
    ['persistentvolumeclaims', one],
  ])
  const storageClass = metadata.annotations?.[BETA_CLASS] ?? spec.storageClassName
  if (storageClass) usage.set(`${storageClass}${CLASS_SUFFIX}persistentvolumeclaims`, one)
  const asked = spec.resources?.requests?.storage
  if (asked === undefined) return usage
  const amount = larger(Quantity.parse(asked), status?.allocatedResources?.storage)
  usage.set('requests.storage', amount)
  if (storageClass) usage.set(`${storageClass}${CLASS_SUFFIX}requests.storage`, amount)
  return usage
}

/** A claim that is being shrunk costs what is still allocated. */
function larger(asked: Quantity, allocated: string | undefined): Quantity {
  if (allocated === undefined) return asked
  const amount = Quantity.parse(allocated)
  return amount.compare(asked) > 0 ? amount : asked
}
