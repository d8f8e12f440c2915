// Upstream: pkg/apis/resource/v1/defaults.go.
import type { DeviceClaim, DeviceSubRequest, ExactDeviceRequest } from '../types/resource-v1.ts'

export function defaultDevices(devices: DeviceClaim | undefined): void {
  for (const { exactly, firstAvailable } of devices?.requests ?? []) {
    if (exactly) defaultRequest(exactly)
    for (const alternative of firstAvailable ?? []) defaultRequest(alternative)
  }
}

function defaultRequest(request: ExactDeviceRequest | DeviceSubRequest): void {
  request.allocationMode ||= 'ExactCount'
  if (request.allocationMode === 'ExactCount') request.count ||= 1
  for (const toleration of request.tolerations ?? []) toleration.operator ??= 'Equal'
}
