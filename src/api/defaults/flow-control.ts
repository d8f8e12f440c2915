// Defaults of flow schemas and priority levels. Upstream: pkg/apis/flowcontrol/v1/defaults.go.
import type { FlowSchema, PriorityLevelConfiguration } from '../types/flowcontrol-v1.ts'

const PRECEDENCE = 1000
const SHARES = 30

export function defaultFlowSchema({ spec }: FlowSchema): void {
  // Go has no number that is missing.
  if (spec && !spec.matchingPrecedence) spec.matchingPrecedence = PRECEDENCE
}

export function defaultPriorityLevel({ spec }: PriorityLevelConfiguration): void {
  if (spec?.exempt) {
    spec.exempt.nominalConcurrencyShares ??= 0
    spec.exempt.lendablePercent ??= 0
  }
  if (!spec?.limited) return
  spec.limited.nominalConcurrencyShares ??= SHARES
  spec.limited.lendablePercent ??= 0
  const queuing = spec.limited.limitResponse?.queuing
  if (!queuing) return
  queuing.handSize ||= 8
  queuing.queues ||= 64
  queuing.queueLengthLimit ||= 50
}
