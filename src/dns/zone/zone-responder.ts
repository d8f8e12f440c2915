// Answers for the cluster's own zone; aliases to names elsewhere are followed through `elsewhere`.
import { type Answer, type Asking, failure, type Responder } from '../server/answer.ts'
import type { Question } from '../wire/message.ts'
import { RCODE } from '../wire/record-types.ts'
import type { ClusterNames } from './service-index.ts'
import { type ZoneAnswer, type ZoneFacts, zoneAnswer } from './zone-answer.ts'

/** ExternalName Services may point at each other, in a circle too. */
const MOST_ALIASES = 8

export function zoneResponder(
  names: ClusterNames,
  facts: ZoneFacts,
  elsewhere: Responder,
  random: () => number,
): Responder {
  return (question, asking) => {
    const first = zoneAnswer(question, names, facts)
    if (!first) return undefined
    if (first.follow !== undefined) return followed(first, question, asking)
    return { ...first, answers: rotated(first.answers, random), authoritative: true }
  }

  async function followed(first: ZoneAnswer, question: Question, asking: Asking): Promise<Answer> {
    const answers = [...first.answers]
    let target = first.follow
    for (let aliases = 1; target !== undefined; aliases++) {
      if (aliases > MOST_ALIASES) return failure(RCODE.serverFailure)
      const next: Question = { ...question, name: target }
      const own = zoneAnswer(next, names, facts)
      if (!own) return withTarget(answers, await elsewhere(next, asking))
      answers.push(...rotated(own.answers, random))
      target = own.follow
      if (target === undefined) return { ...own, answers, authoritative: true }
    }
    return failure(RCODE.serverFailure)
  }
}

/** Where the target cannot be found out, the alias alone is the answer, as CoreDNS has it. */
function withTarget(aliases: Answer['answers'], target: Answer | undefined): Answer {
  const found = target?.rcode === RCODE.noError || target?.rcode === RCODE.nameError ? target : undefined
  return {
    rcode: found?.rcode ?? RCODE.noError,
    authoritative: true,
    answers: [...aliases, ...(found?.answers ?? [])],
    authorities: found?.authorities ?? [],
    additionals: [],
  }
}

/** Clients take the first address: each should be first equally often. */
function rotated<T>(list: readonly T[], random: () => number): readonly T[] {
  if (list.length < 2) return list
  const by = Math.floor(random() * list.length)
  return [...list.slice(by), ...list.slice(0, by)]
}
