// Which devices a request may have: by the selectors of its class and its own, by the node, and by taints.
// Upstream: structured isSelectable, selectorsMatch, taintPreventsAllocation.
import { deviceSelectorProblem, matchesDevice } from '../../api/cel/device-selectors.ts'
import { CelError } from '../../api/cel/environment.ts'
import { toleratesDeviceTaint } from '../../api/device-taints.ts'
import type { Node } from '../../api/types/core-v1.ts'
import type { Device, DeviceSelector, DeviceToleration, ResourceClaim } from '../../api/types/resource-v1.ts'
import { AllocationError } from './allocation-error.ts'
import { isReachable } from './pools.ts'
import { type Candidate, claimNameOf, type RequestPlan } from './request-plan.ts'

const HELP =
  '\n\nSee https://pkg.go.dev/k8s.io/api/resource/v1#CELDeviceSelector for documentation on CEL device selectors and how to handle optional fields.'

/** Throws AllocationError when a selector fails. */
export function isSelectable(
  claim: ResourceClaim,
  request: RequestPlan,
  candidate: Candidate,
  node: Node,
): boolean {
  const { name } = request.class.metadata
  if (!allMatch(request.class.spec.selectors, candidate, `class ${name}`)) return false
  if (!allMatch(request.spec.selectors, candidate, `claim ${claimNameOf(claim)}`)) return false
  return !candidate.slice.spec.perDeviceNodeSelection || isReachable(candidate.device, node)
}

function allMatch(selectors: readonly DeviceSelector[] = [], candidate: Candidate, whose: string): boolean {
  return selectors.every(({ cel }, index) => {
    try {
      return matchesDevice(cel?.expression ?? '', candidate.slice.spec.driver, candidate.device)
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      throw new AllocationError(`${whose}: selector #${index}${reasonOf(error, cel?.expression, candidate)}`)
    }
  })
}

function reasonOf({ message }: CelError, expression = '', { id }: Candidate): string {
  const problem = deviceSelectorProblem(expression)
  if (problem) return `: CEL compile error: ${problem}`
  const help = message.startsWith('no such key:') ? HELP : ''
  return ` on device ${id}: CEL runtime error: ${message}${help}`
}

/** Effects that nobody knows, and None, stop nothing. */
export const isTainted = ({ taints = [] }: Device, tolerations: readonly DeviceToleration[] = []): boolean =>
  taints.some(
    taint =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !tolerations.some(toleration => toleratesDeviceTaint(toleration, taint)),
  )
