// Who holds a Lease, and what becomes of it when somebody wants it. Pure.
// Upstream: client-go tools/leaderelection tryAcquireOrRenew.
import { formatMicroTime } from '../../api/time.ts'
import type { LeaseSpec } from '../../api/types/coordination-v1.ts'

/** A Lease as one candidate has seen it. */
export interface Observed {
  spec: LeaseSpec
  /** By the candidate's own clock, in epoch milliseconds: others' clocks are not trusted. */
  since: number
}

export interface Candidate {
  identity: string
  leaseDurationMs: number
}

export type Claim =
  /** Somebody else holds it, until then at least. */
  { do: 'wait'; until: number } | { do: 'write'; spec: LeaseSpec }

export function claimLease({ spec, since }: Observed, candidate: Candidate, now: number): Claim {
  const { holderIdentity = '', leaseDurationSeconds = 0 } = spec
  const isOwn = holderIdentity === candidate.identity
  const until = since + leaseDurationSeconds * 1_000
  if (!isOwn && holderIdentity !== '' && until > now) return { do: 'wait', until }
  const at = formatMicroTime(now)
  const transitions = spec.leaseTransitions ?? 0
  return {
    do: 'write',
    spec: {
      ...spec,
      holderIdentity: candidate.identity,
      leaseDurationSeconds: Math.ceil(candidate.leaseDurationMs / 1_000),
      acquireTime: isOwn ? (spec.acquireTime ?? at) : at,
      renewTime: at,
      leaseTransitions: isOwn ? transitions : transitions + 1,
    },
  }
}

/** For a Lease that is not there yet. */
export function firstClaim(candidate: Candidate, now: number): LeaseSpec {
  const at = formatMicroTime(now)
  return {
    holderIdentity: candidate.identity,
    leaseDurationSeconds: Math.ceil(candidate.leaseDurationMs / 1_000),
    acquireTime: at,
    renewTime: at,
    leaseTransitions: 0,
  }
}

/** Given up of one's own accord: nobody has to wait. */
export function releasedClaim(spec: LeaseSpec, now: number): LeaseSpec {
  const at = formatMicroTime(now)
  return { ...spec, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: at, renewTime: at }
}
