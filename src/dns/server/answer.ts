// What a responder says to one question, before it becomes a message.
import type { Question, ResourceRecord } from '../wire/message.ts'

export interface Answer {
  rcode: number
  authoritative: boolean
  answers: readonly ResourceRecord[]
  authorities: readonly ResourceRecord[]
  additionals: readonly ResourceRecord[]
  /** An upstream server checked signatures. */
  authenticData?: boolean
}

/** How the question was asked, as far as an upstream server must know. */
export interface Asking {
  dnssecOk: boolean
  checkingDisabled: boolean
}

/** Undefined: not mine, ask the next one. */
export type Responder = (
  question: Question,
  asking: Asking,
) => Answer | undefined | Promise<Answer | undefined>

export const failure = (rcode: number): Answer => ({
  rcode,
  authoritative: false,
  answers: [],
  authorities: [],
  additionals: [],
})
