// Whether a device's taint is put up with. Upstream: dynamic-resource-allocation/resourceclaim ToleratesTaint.
import type { DeviceTaint, DeviceToleration } from './types/resource-v1.ts'

export function toleratesDeviceTaint(
  { key, operator, value, effect }: DeviceToleration,
  taint: DeviceTaint,
): boolean {
  if (effect && effect !== taint.effect) return false
  if (key && key !== taint.key) return false
  if (operator === 'Exists') return true
  return (operator ?? 'Equal') === 'Equal' && (value ?? '') === (taint.value ?? '')
}
