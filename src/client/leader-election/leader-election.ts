// Of several processes that could do a work, one does it: the one that holds a Lease and keeps renewing it.
// Upstream: client-go tools/leaderelection, with its default times.
import { leases } from '../../api/resources.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../api/status-error.ts'
import type { Lease, LeaseSpec } from '../../api/types/coordination-v1.ts'
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Client } from '../client.ts'
import type { EventRecorder } from '../events/event-recorder.ts'
import { type Candidate, claimLease, firstClaim, type Observed, releasedClaim } from './lease-claim.ts'

export interface LeaderElectionOptions {
  client: Client
  clock: Clock
  log: Log
  lease: { name: string; namespace: string }
  /** Of this process; unique among the candidates. */
  identity: string
  recorder?: Pick<EventRecorder, 'event'>
  /** Others wait so long after the last renewal that they saw. */
  leaseDurationMs?: number
  /** A leader that could not renew for so long steps down; less than the lease's duration. */
  renewDeadlineMs?: number
  retryPeriodMs?: number
  /** From 0 to below 1: spreads the tries of candidates. Default: Math.random. */
  random?: () => number
}

const JITTER = 1.2

/**
 * Waits until this process leads, then runs `lead` until leadership is lost or the signal aborts, whichever comes
 * first; `lead` must come back when its own signal aborts. The Lease is given up when the signal aborts.
 */
export async function runAsLeader(
  options: LeaderElectionOptions,
  lead: (signal: AbortSignal) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  await new LeaderElection(options).run(lead, signal)
}

class LeaderElection {
  readonly #options: LeaderElectionOptions
  readonly #candidate: Candidate
  readonly #renewDeadlineMs: number
  readonly #retryPeriodMs: number
  #lease: Lease | undefined
  #observed: Observed | undefined

  constructor(options: LeaderElectionOptions) {
    const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options
    if (leaseDurationMs <= renewDeadlineMs) {
      throw new Error('leaseDuration must be greater than renewDeadline')
    }
    if (renewDeadlineMs <= JITTER * retryPeriodMs) {
      throw new Error('renewDeadline must be greater than retryPeriod*JitterFactor')
    }
    this.#options = options
    this.#candidate = { identity: options.identity, leaseDurationMs }
    this.#renewDeadlineMs = renewDeadlineMs
    this.#retryPeriodMs = retryPeriodMs
  }

  async run(lead: (signal: AbortSignal) => Promise<unknown>, signal: AbortSignal): Promise<void> {
    if (!(await this.#acquire(signal))) return
    this.#tell('became leader')
    const leading = new AbortController()
    const stop = () => leading.abort()
    signal.addEventListener('abort', stop, { once: true })
    const work = lead(leading.signal)
    try {
      await Promise.race([this.#renew(leading.signal), work])
    } finally {
      leading.abort()
      await work.catch(() => {})
      signal.removeEventListener('abort', stop)
      await this.#within(this.#retryPeriodMs, signal => this.#release(signal))
      this.#tell('stopped leading')
    }
    await work
  }

  /** False when the signal aborted first. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { random = Math.random } = this.#options
    while (!signal.aborted) {
      if (await this.#tryOnce(signal)) return true
      await this.#sleep(this.#retryPeriodMs * (1 + JITTER * random()), signal)
    }
    return false
  }

  /** Comes back when the Lease is lost, or could not be renewed in time. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { clock, log, lease } = this.#options
    let renewedAt = clock.now()
    while (!signal.aborted) {
      await this.#sleep(this.#retryPeriodMs, signal)
      if (signal.aborted) return
      const left = renewedAt + this.#renewDeadlineMs - clock.now()
      if (await this.#within(left, signal => this.#tryOnce(signal))) renewedAt = clock.now()
      else if (this.#observed?.spec.holderIdentity !== this.#candidate.identity) break
      else if (clock.now() - renewedAt >= this.#renewDeadlineMs) break
    }
    if (!signal.aborted) log.warn({ lease: `${lease.namespace}/${lease.name}` }, 'leadership is lost')
  }

  /** An answer that takes longer than `ms` is none. */
  async #within(ms: number, attempt: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> {
    const over = new AbortController()
    const tooLate = this.#options.clock.sleep(ms, over.signal).then(
      () => false,
      () => false,
    )
    const result = await Promise.race([attempt(over.signal), tooLate])
    over.abort()
    return result
  }

  /** True when the Lease is ours now. Never throws: whoever cannot reach the server does not lead. */
  async #tryOnce(signal: AbortSignal): Promise<boolean> {
    const { client, clock, log, lease } = this.#options
    try {
      const found = await client.get(leases, lease, { signal }).catch(error => {
        if (isNotFound(error)) return undefined
        throw error
      })
      if (!found) return await this.#write(firstClaim(this.#candidate, clock.now()), signal)
      this.#observe(found)
      const claim = claimLease(this.#observed!, this.#candidate, clock.now())
      return claim.do === 'write' && (await this.#write(claim.spec, signal, found))
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) {
        log.warn({ lease: `${lease.namespace}/${lease.name}`, error }, 'the lease could not be claimed')
      }
      return false
    }
  }

  async #write(spec: LeaseSpec, signal: AbortSignal, old?: Lease): Promise<boolean> {
    const { client, lease } = this.#options
    this.#observe(
      old
        ? await client.update(leases, { ...old, spec }, { signal })
        : await client.create(leases, { metadata: { ...lease }, spec }, { signal }),
    )
    return true
  }

  /** The time since which nothing has changed counts, not the times written there. */
  #observe(lease: Lease): void {
    const changed = JSON.stringify(lease.spec) !== JSON.stringify(this.#observed?.spec)
    this.#lease = lease
    if (changed) this.#observed = { spec: lease.spec, since: this.#options.clock.now() }
  }

  async #release(signal: AbortSignal): Promise<boolean> {
    const { client, clock, log } = this.#options
    if (!this.#lease || this.#lease.spec.holderIdentity !== this.#candidate.identity) return false
    const spec = releasedClaim(this.#lease.spec, clock.now())
    try {
      await client.update(leases, { ...this.#lease, spec }, { signal })
      return true
    } catch (error) {
      log.debug({ error }, 'the lease could not be given up; it runs out by itself')
      return false
    }
  }

  #tell(what: string): void {
    const { recorder, identity } = this.#options
    if (this.#lease) recorder?.event(this.#lease, 'Normal', 'LeaderElection', `${identity} ${what}`)
  }

  async #sleep(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, signal).catch(() => {})
  }
}
