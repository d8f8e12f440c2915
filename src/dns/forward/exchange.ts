// One question to one upstream server: UDP from a port of its own, TCP when the answer does not fit.
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createConnection, isIPv6 } from 'node:net'
import type { Clock } from '../../base/clock.ts'
import type { Asking } from '../server/answer.ts'
import { decodeMessage } from '../wire/decode-message.ts'
import { encodeMessage } from '../wire/encode-message.ts'
import { type Message, type Question, sameCase } from '../wire/message.ts'
import { QUERY } from '../wire/record-types.ts'

/** '192.0.2.1', or with a port '192.0.2.1#5353'. */
export type ServerAddress = string

/** Rejects when the server cannot be reached or has not answered within `timeoutMs`. */
export type Exchange = (
  server: ServerAddress,
  question: Question,
  asking: Asking,
  timeoutMs: number,
) => Promise<Message>

const UDP_SIZE = 1232
const DNS_PORT = 53

export function networkExchange(clock: Clock): Exchange {
  return async (server, question, asking, timeoutMs) => {
    const stop = new AbortController()
    const timeout = clock.sleep(timeoutMs, stop.signal).then(
      () => stop.abort(new Error(`${server} did not answer within ${timeoutMs} ms`)),
      () => {},
    )
    try {
      const query = queryFor(question, asking)
      const answer = await overUdp(server, query, stop.signal)
      return answer.truncated ? await overTcp(server, query, stop.signal) : answer
    } finally {
      stop.abort()
      await timeout
    }
  }
}

function queryFor(question: Question, { dnssecOk, checkingDisabled }: Asking): Message {
  return {
    id: randomInt(65_536),
    isResponse: false,
    opcode: QUERY,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled,
    rcode: 0,
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
    edns: { udpSize: UDP_SIZE, version: 0, dnssecOk },
  }
}

function split(server: ServerAddress): { host: string; port: number } {
  const [host = '', port] = server.split('#')
  return { host, port: port ? Number(port) : DNS_PORT }
}

/** The kernel gives each socket a port of its own at random, which an attacker would have to guess beside the id. */
function overUdp(server: ServerAddress, query: Message, signal: AbortSignal): Promise<Message> {
  const { host, port } = split(server)
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  return new Promise<Message>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    socket.on('error', reject)
    socket.on('message', bytes => {
      const answer = answerTo(query, bytes)
      if (answer) resolve(answer)
    })
    // Connected, so that only this server is heard and its refusals are told at once.
    socket.connect(port, host, () => socket.send(encodeMessage(query), error => error && reject(error)))
  }).finally(() => socket.close())
}

function overTcp(server: ServerAddress, query: Message, signal: AbortSignal): Promise<Message> {
  const { host, port } = split(server)
  const socket = createConnection({ host, port })
  let received = Buffer.alloc(0)
  return new Promise<Message>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`${server} closed the connection`)))
    socket.on('connect', () => {
      const bytes = encodeMessage(query)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(bytes.length)
      socket.write(Buffer.concat([length, bytes]))
    })
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return
      const answer = answerTo(query, received.subarray(2, 2 + received.readUInt16BE(0)))
      if (answer) resolve(answer)
      else reject(new Error(`${server} answered something else`))
    })
  }).finally(() => socket.destroy())
}

/** Undefined when it is not the answer to this query: a late one, or a forged one. */
function answerTo(query: Message, bytes: Buffer): Message | undefined {
  try {
    const message = decodeMessage(bytes)
    const [asked, answered] = [query.questions[0]!, message.questions[0]]
    const fits =
      message.isResponse &&
      message.id === query.id &&
      answered?.type === asked.type &&
      answered.class === asked.class &&
      sameCase(answered.name) === sameCase(asked.name)
    return fits ? message : undefined
  } catch {
    return undefined
  }
}
