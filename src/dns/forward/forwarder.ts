// Asks the host's resolvers about names that are not the cluster's, and keeps what they answer.
import type { PassiveClock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import { type Answer, type Asking, failure } from '../server/answer.ts'
import { type Message, type Question, sameCase } from '../wire/message.ts'
import { CLASS, RCODE, TYPE } from '../wire/record-types.ts'
import { AnswerCache, cacheKey } from './answer-cache.ts'
import type { Exchange, ServerAddress } from './exchange.ts'
import { ServerHealth } from './server-health.ts'

/** CoreDNS's read time-out, and what a client waits for us at most (glibc: 5 s). */
const TRY_MS = 2_000
const ALL_TRIES_MS = 4_500
/** More at once are refused. Upstream: the default Corefile's max_concurrent. */
const MOST_AT_ONCE = 1_000

export interface ForwarderOptions {
  exchange: Exchange
  clock: PassiveClock
  log: Log
  random: () => number
}

export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #cache: AnswerCache
  readonly #health: ServerHealth
  readonly #underWay = new Map<string, Promise<Answer>>()
  /** Names that only this server asks for; whoever asks us for one has got it from us. */
  readonly #probes = new Map<string, ServerAddress>()
  readonly #probed = new Set<ServerAddress>()
  #servers: readonly ServerAddress[] = []

  constructor(options: ForwarderOptions) {
    this.#options = options
    this.#cache = new AnswerCache(options.clock)
    this.#health = new ServerHealth(options.clock)
  }

  /** What other servers said and how they were is forgotten: another network may know other names. */
  useServers(servers: readonly ServerAddress[]): void {
    this.#servers = servers
    this.#cache.clear()
    this.#health.clear()
    this.#probes.clear()
    this.#probed.clear()
  }

  /** Never rejects: SERVFAIL when no server answers. */
  resolve(question: Question, asking: Asking): Answer | Promise<Answer> {
    if (this.#cameBack(question)) return failure(RCODE.refused)
    const key = cacheKey(question, asking)
    const known = this.#cache.find(key)
    if (known) return withOwnName(known, question)
    const underWay = this.#underWay.get(key)
    if (underWay) return underWay.then(answer => withOwnName(answer, question))
    if (this.#servers.length === 0) return failure(RCODE.serverFailure)
    if (this.#underWay.size >= MOST_AT_ONCE) return failure(RCODE.refused)
    const asked = this.#askAll(question, asking).then(answer => {
      this.#cache.store(key, answer)
      return answer
    })
    this.#underWay.set(key, asked)
    return asked.finally(() => this.#underWay.delete(key))
  }

  /** One after the other, until one gives an answer that is of use. */
  async #askAll(question: Question, asking: Asking): Promise<Answer> {
    const { clock, exchange, log } = this.#options
    const end = clock.now() + ALL_TRIES_MS
    let last: Answer | undefined
    for (const server of this.#servers) {
      const timeoutMs = Math.min(TRY_MS, end - clock.now())
      if (timeoutMs <= 0 || !this.#health.mayAsk(server, timeoutMs)) continue
      this.#probe(server)
      try {
        const message = await exchange(server, question, asking, timeoutMs)
        this.#health.answered(server)
        last = toAnswer(message)
        if (last.rcode === RCODE.noError || last.rcode === RCODE.nameError) return last
      } catch (error) {
        this.#health.failed(server)
        log.debug({ server, error, name: question.name }, 'an upstream resolver did not answer')
      }
    }
    return last ?? failure(RCODE.serverFailure)
  }

  /** Finds out, once per server, whether what it is asked comes back here. Upstream: CoreDNS's plugin loop. */
  #probe(server: ServerAddress): void {
    if (this.#probed.has(server)) return
    this.#probed.add(server)
    const { random, exchange } = this.#options
    const name = `${Math.floor(random() * 2 ** 48)}.${Math.floor(random() * 2 ** 48)}.loop-probe`
    this.#probes.set(name, server)
    const question = { name, type: TYPE.hinfo, class: CLASS.in }
    exchange(server, question, { dnssecOk: false, checkingDisabled: false }, TRY_MS).then(
      () => this.#probes.delete(name),
      () => this.#probes.delete(name),
    )
  }

  #cameBack({ name, type }: Question): boolean {
    if (type !== TYPE.hinfo || this.#probes.size === 0) return false
    const server = this.#probes.get(sameCase(name))
    if (server === undefined) return false
    this.#servers = this.#servers.filter(other => other !== server)
    this.#options.log.warn({ server }, 'this resolver asks the cluster DNS itself and is not asked any more')
    return true
  }
}

function toAnswer(message: Message): Answer {
  const { rcode, answers, authorities, additionals, authenticData } = message
  return { rcode, answers, authorities, additionals, authenticData, authoritative: false }
}

/** The first client's spelling is in the records; each gets its own back. */
function withOwnName(answer: Answer, { name }: Question): Answer {
  const asked = sameCase(name)
  const isOther = answer.answers.some(record => record.name !== name && sameCase(record.name) === asked)
  if (!isOther) return answer
  const answers = answer.answers.map(record =>
    sameCase(record.name) === asked ? { ...record, name } : record,
  )
  return { ...answer, answers }
}
