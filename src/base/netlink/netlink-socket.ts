// One netlink socket of this process: requests, dumps and batches, each one exchange with the kernel.
// What messages mean is their makers' business.
import { constants } from 'node:os'
import koffi from 'koffi'

const libc = koffi.load(null)
const raw = {
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  close: libc.func('int close(int fd)'),
  send: libc.func('intptr_t send(int fd, void *buffer, size_t length, int flags)'),
  recv: libc.func('intptr_t recv(int fd, void *buffer, size_t length, int flags)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, void *value, unsigned int length)'),
}

const AF_NETLINK = 16
const SOCK_RAW_CLOEXEC = 3 | 0o2000000
const MSG_DONTWAIT = 0x40
const SOL_SOCKET = 1
const FORCED_BUFFER = { send: 32, receive: 33 }
/** A batch travels as one message: room for tens of thousands of elements. */
const BUFFER_BYTES = 16 << 20
const HEADER = 16
const type = { noop: 1, error: 2, done: 3 }

/** Flags of a request. */
export const NLM = {
  request: 1,
  ack: 4,
  dump: 0x300,
  create: 0x400,
  exclusive: 0x200,
  replace: 0x100,
} as const

export const NETLINK = { route: 0, netfilter: 12 } as const

export interface NetlinkMessage {
  type: number
  flags: number
  body: Buffer
}

/** The kernel refused a message. `code` is the errno's name ("ENOENT"), `index` the message's place in its batch. */
export class NetlinkError extends Error {
  readonly code: string
  readonly index: number

  constructor(errno: number, index: number, messageType: number) {
    const code = errnoNames.get(errno) ?? `errno ${errno}`
    super(`${code}: netlink message ${index} of type 0x${messageType.toString(16)}`)
    this.name = 'NetlinkError'
    this.code = code
    this.index = index
  }
}

const errnoNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]))

export class NetlinkSocket {
  readonly #fd: number
  readonly #buffer = Buffer.alloc(1 << 18)
  #sequence = 0

  constructor(protocol: number) {
    this.#fd = raw.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol)
    if (this.#fd < 0) throw new NetlinkError(koffi.errno(), 0, 0)
    const size = Buffer.alloc(4)
    size.writeUInt32LE(BUFFER_BYTES)
    for (const option of Object.values(FORCED_BUFFER))
      raw.setsockopt(this.#fd, SOL_SOCKET, option, size, size.length)
  }

  close(): void {
    raw.close(this.#fd)
  }

  /** One message with an acknowledgement. Throws NetlinkError. */
  request(message: NetlinkMessage): void {
    this.batch([message])
  }

  /**
   * Sends messages as one piece. The kernel works on them before the call returns, so every answer is there then.
   * Throws the first failure.
   */
  batch(messages: readonly NetlinkMessage[]): void {
    const first = this.#sequence + 1
    this.#send(acknowledgedLast(messages))
    this.#judge(messages, first)
  }

  /** As batch, away from the event loop: a transaction of nf_tables takes the kernel some milliseconds. */
  async batchAside(messages: readonly NetlinkMessage[]): Promise<void> {
    const first = this.#sequence + 1
    const bytes = this.#encodeAll(acknowledgedLast(messages))
    const sent = await new Promise<number>((resolve, reject) => {
      raw.send.async(this.#fd, bytes, bytes.length, 0, (error: Error | null, result: number) =>
        error ? reject(error) : resolve(result),
      )
    })
    // errno belongs to the thread that made the call: a batch that was not taken at all is said to be refused.
    if (sent < 0) throw new NetlinkError(constants.errno.EIO, 0, messages[0]!.type)
    this.#judge(messages, first)
  }

  #judge(messages: readonly NetlinkMessage[], first: number): void {
    let failure: NetlinkError | undefined
    for (const { sequence, kind, body } of this.#pending()) {
      const errno = kind === type.error ? -body.readInt32LE(0) : 0
      const index = sequence - first
      if (errno !== 0 && index >= 0) failure ??= new NetlinkError(errno, index, messages[index]?.type ?? 0)
    }
    if (failure) throw failure
  }

  /** The bodies of a dump's answers. Throws NetlinkError. */
  dump(message: NetlinkMessage): Buffer[] {
    this.#send([{ ...message, flags: message.flags | NLM.dump }])
    const asked = this.#sequence
    const bodies: Buffer[] = []
    for (;;) {
      for (const { sequence, kind, body } of this.#receive(0)) {
        if (sequence !== asked) continue
        if (kind === type.done) return bodies
        if (kind === type.error) {
          const errno = -body.readInt32LE(0)
          if (errno !== 0) throw new NetlinkError(errno, 0, message.type)
          return bodies
        }
        bodies.push(Buffer.from(body))
      }
    }
  }

  #send(messages: readonly NetlinkMessage[]): void {
    const bytes = this.#encodeAll(messages)
    if (raw.send(this.#fd, bytes, bytes.length, 0) < 0)
      throw new NetlinkError(koffi.errno(), 0, messages[0]!.type)
  }

  #encodeAll(messages: readonly NetlinkMessage[]): Buffer {
    return Buffer.concat(messages.map(message => this.#encode(message)))
  }

  #encode({ type, flags, body }: NetlinkMessage): Buffer {
    const header = Buffer.alloc(HEADER)
    header.writeUInt32LE(HEADER + body.length, 0)
    header.writeUInt16LE(type, 4)
    header.writeUInt16LE(flags | NLM.request, 6)
    header.writeUInt32LE(++this.#sequence, 8)
    return Buffer.concat([header, body])
  }

  *#pending() {
    for (;;) {
      const answers = this.#receive(MSG_DONTWAIT)
      if (answers.length === 0) return
      yield* answers
    }
  }

  /** What one read brings; nothing when there is nothing and waiting was not asked for. */
  #receive(flags: number): { sequence: number; kind: number; body: Buffer }[] {
    const length = Number(raw.recv(this.#fd, this.#buffer, this.#buffer.length, flags))
    if (length < 0) {
      const errno = koffi.errno()
      if (errno === constants.errno.EAGAIN) return []
      throw new NetlinkError(errno, 0, 0)
    }
    const answers = []
    for (let offset = 0; offset + HEADER <= length; ) {
      const size = this.#buffer.readUInt32LE(offset)
      if (size < HEADER) break
      answers.push({
        kind: this.#buffer.readUInt16LE(offset + 4),
        sequence: this.#buffer.readUInt32LE(offset + 8),
        body: Buffer.from(this.#buffer.subarray(offset + HEADER, offset + size)),
      })
      offset += (size + 3) & ~3
    }
    return answers
  }
}

const acknowledged = (message: NetlinkMessage) => ({ ...message, flags: message.flags | NLM.ack })

const acknowledgedLast = (messages: readonly NetlinkMessage[]) =>
  messages.map((message, index) => (index === messages.length - 1 ? acknowledged(message) : message))
