// When a Pod has to go because a device of its claims is tainted. Pure. Upstream: pkg/controller/devicetainteviction.
import { toleratesDeviceTaint } from '../../api/device-taints.ts'
import type { Pod } from '../../api/types/core-v1.ts'
import type {
  DeviceRequestAllocationResult,
  DeviceTaint,
  DeviceToleration,
  ResourceClaim,
} from '../../api/types/resource-v1.ts'

/** The taints of a device as its driver publishes them. */
export type TaintsOf = (device: DeviceRequestAllocationResult) => readonly DeviceTaint[]

/** Epoch milliseconds; undefined: it may stay. `claims`: those that may be the Pod's. */
export function evictionTime(
  pod: Pod,
  claims: readonly ResourceClaim[],
  taintsOf: TaintsOf,
): number | undefined {
  if (!pod.spec.nodeName) return undefined
  const times = claims
    .filter(({ status }) => status.reservedFor?.some(({ uid }) => uid === pod.metadata.uid))
    .flatMap(({ status }) => status.allocation?.devices.results ?? [])
    .flatMap(device => taintsOf(device).map(taint => endOf(taint, device.tolerations ?? [])))
  const earliest = Math.min(...times)
  return earliest === Infinity ? undefined : earliest
}

/** Of several tolerations the shortest counts. */
function endOf(taint: DeviceTaint, tolerations: readonly DeviceToleration[]): number {
  if (taint.effect !== 'NoExecute') return Infinity
  const since = taint.timeAdded === undefined ? 0 : Date.parse(taint.timeAdded)
  const fitting = tolerations.filter(toleration => toleratesDeviceTaint(toleration, taint))
  if (fitting.length === 0) return since
  const seconds = Math.min(...fitting.map(({ tolerationSeconds = Infinity }) => tolerationSeconds))
  return since + Math.max(0, seconds) * 1_000
}
