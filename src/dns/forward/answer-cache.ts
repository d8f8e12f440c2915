// Answers of upstream servers, kept no longer than they say (RFC 1035, RFC 2308). Nothing stale is ever given out.
import type { PassiveClock } from '../../base/clock.ts'
import type { Answer, Asking } from '../server/answer.ts'
import { type Question, type ResourceRecord, sameCase } from '../wire/message.ts'
import { RCODE } from '../wire/record-types.ts'
import { soaMinimum } from '../wire/records.ts'

/** Seconds; CoreDNS's defaults. */
const LONGEST_SUCCESS = 3600
const LONGEST_DENIAL = 1800
const MOST_ENTRIES = 10_000

interface Entry {
  answer: Answer
  storedAt: number
  expiresAt: number
}

export class AnswerCache {
  readonly #clock: PassiveClock
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>()

  constructor(clock: PassiveClock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  /** With the time that the records may still be kept. */
  find(key: string): Answer | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#entries.delete(key)
    const now = this.#clock.now()
    if (now >= entry.expiresAt) return undefined
    this.#entries.set(key, entry)
    const age = Math.floor((now - entry.storedAt) / 1000)
    return age <= 0 ? entry.answer : aged(entry.answer, age)
  }

  store(key: string, answer: Answer): void {
    const seconds = keepSeconds(answer)
    if (seconds <= 0) return
    const storedAt = this.#clock.now()
    this.#entries.set(key, { answer, storedAt, expiresAt: storedAt + seconds * 1000 })
    if (this.#entries.size <= MOST_ENTRIES) return
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest!)
  }

  clear(): void {
    this.#entries.clear()
  }
}

/** What makes two questions the same. */
export function cacheKey(
  { name, type, class: questionClass }: Question,
  { dnssecOk, checkingDisabled }: Asking,
): string {
  return `${type} ${questionClass} ${dnssecOk ? 1 : 0}${checkingDisabled ? 1 : 0} ${sameCase(name)}`
}

/** How long the answer may be kept; 0 when it may not. A denial without an SOA record says nothing about that. */
export function keepSeconds({ rcode, answers, authorities }: Answer): number {
  if (rcode !== RCODE.noError && rcode !== RCODE.nameError) return 0
  const denial = Math.min(
    LONGEST_DENIAL,
    ...authorities.map(record => Math.min(record.ttl, soaMinimum(record) ?? Number.POSITIVE_INFINITY)),
  )
  const hasSoa = authorities.some(record => soaMinimum(record) !== undefined)
  if (answers.length === 0) return hasSoa ? denial : 0
  const shortest = Math.min(LONGEST_SUCCESS, ...answers.map(({ ttl }) => ttl))
  return rcode === RCODE.nameError ? (hasSoa ? Math.min(shortest, denial) : 0) : shortest
}

function aged(answer: Answer, seconds: number): Answer {
  const older = (records: readonly ResourceRecord[]) =>
    records.map(record => ({ ...record, ttl: Math.max(0, record.ttl - seconds) }))
  return {
    ...answer,
    answers: older(answer.answers),
    authorities: older(answer.authorities),
    additionals: older(answer.additionals),
  }
}
