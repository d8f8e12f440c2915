// Bytes of a query to bytes of its response: what is no proper query, and what this server does not do, is said here.
import type { Log } from '../../base/log.ts'
import { decodeMessage, HEADER_LENGTH, MessageFormatError } from '../wire/decode-message.ts'
import { encodeMessage, LARGEST_MESSAGE } from '../wire/encode-message.ts'
import type { Message } from '../wire/message.ts'
import { CLASS, QUERY, RCODE, TYPE } from '../wire/record-types.ts'
import { minimalAnyRecord } from '../wire/records.ts'
import { type Answer, failure, type Responder } from './answer.ts'

export type Transport = 'udp' | 'tcp'

/** Undefined: nothing is sent back. */
export type QueryHandler = (
  bytes: Buffer,
  transport: Transport,
) => Buffer | undefined | Promise<Buffer | undefined>

/** A UDP message of this size passes every usual network unbroken (DNS flag day 2020). */
const UDP_SIZE = 1232
const PLAIN_UDP_SIZE = 512
const RESPONSE = 0x80

/** Responders are asked in their order; when none answers, the response is REFUSED. */
export function queryHandler(responders: readonly Responder[], log: Log): QueryHandler {
  return (bytes, transport) => {
    // Answering a response could go on for ever between two servers.
    if (bytes.length < HEADER_LENGTH || (bytes[2]! & RESPONSE) !== 0) return undefined
    const query = decode(bytes)
    if (!query) return formatError(bytes)
    const wrong = refusal(query)
    if (wrong) return encoded(query, wrong, transport)
    try {
      const answer = firstAnswer(query, responders, 0)
      if (!(answer instanceof Promise)) return encoded(query, answer, transport)
      return answer.then(
        found => encoded(query, found, transport),
        error => failed(query, error, transport),
      )
    } catch (error) {
      return failed(query, error, transport)
    }
  }

  function failed(query: Message, error: unknown, transport: Transport): Buffer {
    log.error({ error, name: query.questions[0]?.name }, 'a DNS query could not be answered')
    return encoded(query, failure(RCODE.serverFailure), transport)
  }
}

function decode(bytes: Buffer): Message | undefined {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    if (error instanceof MessageFormatError) return undefined
    throw error
  }
}

/** Only the header is known to be there. */
function formatError(bytes: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH)
  bytes.copy(header, 0, 0, 4)
  header[2] = (bytes[2]! & 0x79) | RESPONSE
  header[3] = RCODE.formatError
  return header
}

/** What is not answered whatever the name is. */
function refusal(query: Message): Answer | undefined {
  if (query.opcode !== QUERY) return failure(RCODE.notImplemented)
  const [question] = query.questions
  if (!question || query.questions.length > 1) return failure(RCODE.formatError)
  if (query.edns && query.edns.version > 0) return failure(RCODE.badVersion)
  if (question.class !== CLASS.in && question.class !== CLASS.any) return failure(RCODE.refused)
  if (question.type === TYPE.axfr || question.type === TYPE.ixfr) return failure(RCODE.refused)
  if (question.type === TYPE.any) {
    return { ...failure(RCODE.noError), answers: [minimalAnyRecord(question.name, 8482)] }
  }
  return undefined
}

function firstAnswer(
  query: Message,
  responders: readonly Responder[],
  from: number,
): Answer | Promise<Answer> {
  const asking = {
    dnssecOk: query.edns?.dnssecOk ?? false,
    checkingDisabled: query.checkingDisabled,
  }
  for (let index = from; index < responders.length; index++) {
    const answer = responders[index]!(query.questions[0]!, asking)
    if (answer instanceof Promise)
      return answer.then(found => found ?? firstAnswer(query, responders, index + 1))
    if (answer) return answer
  }
  return failure(RCODE.refused)
}

function encoded(query: Message, answer: Answer, transport: Transport): Buffer {
  const { edns } = query
  return encodeMessage(
    {
      ...answer,
      id: query.id,
      isResponse: true,
      opcode: query.opcode,
      truncated: false,
      recursionDesired: query.recursionDesired,
      recursionAvailable: true,
      authenticData: (answer.authenticData ?? false) && (query.authenticData || (edns?.dnssecOk ?? false)),
      checkingDisabled: query.checkingDisabled,
      questions: query.questions,
      ...(edns && { edns: { udpSize: UDP_SIZE, version: 0, dnssecOk: edns.dnssecOk } }),
    },
    transport === 'tcp' ? LARGEST_MESSAGE : sizeFor(edns?.udpSize),
  )
}

function sizeFor(udpSize = PLAIN_UDP_SIZE): number {
  return Math.min(UDP_SIZE, Math.max(PLAIN_UDP_SIZE, udpSize))
}
