// What a ServiceCIDR needs: to be held while addresses of its ranges are in use, and to say whether new ones are given.
// Pure. Upstream: pkg/controller/servicecidrs.
import { cidrContains, parseCidr, parseIp } from '../../api/ip.ts'
import type { IPAddress, ServiceCIDR } from '../../api/types/networking-v1.ts'

export const FINALIZER = 'networking.k8s.io/service-cidr-finalizer'

export type CidrAction =
  | { do: 'addFinalizer' }
  | { do: 'removeFinalizer' }
  | { do: 'setReady'; status: 'True' | 'False'; reason: string; message: string }

const READY = { status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' } as const
const TERMINATING = {
  status: 'False',
  reason: 'Terminating',
  message:
    'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
} as const

export function decideServiceCidr(
  cidr: ServiceCIDR,
  others: readonly ServiceCIDR[],
  addresses: readonly IPAddress[],
): CidrAction[] {
  const isHeld = cidr.metadata.finalizers?.includes(FINALIZER) ?? false
  if (!cidr.metadata.deletionTimestamp)
    return [...(isHeld ? [] : [{ do: 'addFinalizer' as const }]), ...ready(cidr, READY)]
  if (!isHeld) return []
  const staying = others.filter(({ metadata }) => !metadata.deletionTimestamp)
  const left = addresses.some(
    ({ metadata }) => contains(cidr, metadata.name) && !staying.some(other => contains(other, metadata.name)),
  )
  return left ? ready(cidr, TERMINATING) : [{ do: 'removeFinalizer' }]
}

function ready({ status }: ServiceCIDR, wanted: typeof READY | typeof TERMINATING): CidrAction[] {
  const now = status?.conditions?.find(({ type }) => type === 'Ready')
  if (now?.status === wanted.status && (now.reason ?? '') === wanted.reason && now.message === wanted.message)
    return []
  return [{ do: 'setReady', ...wanted }]
}

/** Is the address in one of its ranges? */
export function contains({ spec }: ServiceCIDR, address: string): boolean {
  const ip = parseIp(address)
  if (!ip) return false
  return (spec?.cidrs ?? []).some(text => {
    const cidr = parseCidr(text)
    return cidr !== undefined && cidrContains(cidr, ip)
  })
}
