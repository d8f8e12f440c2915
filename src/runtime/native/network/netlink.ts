// rtnetlink messages over one kernel socket: links, addresses, routes. Knows nothing about pods.
// A socket belongs to the network namespace in which it was opened, wherever its user goes afterwards.
import { constants } from 'node:os'
import { AF, closeSocket, openSocket, receiveFrom, SOCK, SyscallError, sendTo } from '../syscall/libc.ts'

const NETLINK_ROUTE = 0
const flag = { request: 1, ack: 4, dump: 0x300, create: 0x400, exclusive: 0x200, replace: 0x100 }
const message = {
  error: 2,
  done: 3,
  newLink: 16,
  delLink: 17,
  getLink: 18,
  newAddress: 20,
  newRoute: 24,
  delRoute: 25,
}
const linkAttribute = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  linkInfo: 18,
  netNsFd: 28,
  infoKind: 1,
  infoData: 2,
}
const HEADER = 16
const IFF_UP = 1
const AF_INET = 2
const VETH_INFO_PEER = 1
const SCOPE = { global: 0, link: 253 }

export interface Link {
  index: number
  name: string
  /** Index of the bridge it is a port of; 0 for none. */
  master: number
}

export class Netlink {
  readonly #fd = openSocket(AF.netlink, SOCK.raw | SOCK.closeOnExec, NETLINK_ROUTE)
  readonly #buffer = Buffer.alloc(65_536)
  #sequence = 0

  /** Frees the socket. */
  close(): void {
    closeSocket(this.#fd)
  }

  links(): Link[] {
    return this.#ask(message.getLink, flag.dump, interfaceHeader(0, 0, 0)).map(parseLink)
  }

  findLink(name: string): Link | undefined {
    try {
      const body = Buffer.concat([interfaceHeader(0, 0, 0), attribute(linkAttribute.name, text(name))])
      return this.#ask(message.getLink, 0, body).map(parseLink)[0]
    } catch (error) {
      if (error instanceof SyscallError && error.code === 'ENODEV') return undefined
      throw error
    }
  }

  addBridge(name: string): void {
    this.#ask(
      message.newLink,
      flag.create | flag.exclusive,
      Buffer.concat([
        interfaceHeader(0, 0, 0),
        attribute(linkAttribute.name, text(name)),
        attribute(linkAttribute.linkInfo, attribute(linkAttribute.infoKind, text('bridge'))),
      ]),
    )
  }

  /**
   * Makes a pair of virtual cables: `name` here, up and plugged into `master` at once; `peer` in the network
   * namespace open as `peerNamespace`.
   */
  addVeth(options: { name: string; master: number; mtu: number; peer: string; peerNamespace: number }): void {
    const peer = Buffer.concat([
      interfaceHeader(0, 0, 0),
      attribute(linkAttribute.name, text(options.peer)),
      attribute(linkAttribute.mtu, u32(options.mtu)),
      attribute(linkAttribute.netNsFd, u32(options.peerNamespace)),
    ])
    const info = Buffer.concat([
      attribute(linkAttribute.infoKind, text('veth')),
      attribute(linkAttribute.infoData, attribute(VETH_INFO_PEER, peer)),
    ])
    this.#ask(
      message.newLink,
      flag.create | flag.exclusive,
      Buffer.concat([
        interfaceHeader(0, IFF_UP, IFF_UP),
        attribute(linkAttribute.name, text(options.name)),
        attribute(linkAttribute.mtu, u32(options.mtu)),
        attribute(linkAttribute.master, u32(options.master)),
        attribute(linkAttribute.linkInfo, info),
      ]),
    )
  }

  setUp(index: number): void {
    this.#ask(message.newLink, 0, interfaceHeader(index, IFF_UP, IFF_UP))
  }

  setHardwareAddress(index: number, address: Buffer): void {
    this.#ask(
      message.newLink,
      0,
      Buffer.concat([interfaceHeader(index, 0, 0), attribute(linkAttribute.address, address)]),
    )
  }

  /** Removing a link that is gone is fine. */
  removeLink(name: string): void {
    const link = this.findLink(name)
    if (!link) return
    try {
      this.#ask(message.delLink, 0, interfaceHeader(link.index, 0, 0))
    } catch (error) {
      if (!(error instanceof SyscallError) || error.code !== 'ENODEV') throw error
    }
  }

  /** Adding an address twice is fine. */
  addAddress(index: number, address: Buffer, prefixLength: number): void {
    const header = Buffer.alloc(8)
    header.writeUInt8(AF_INET, 0)
    header.writeUInt8(prefixLength, 1)
    header.writeUInt32LE(index, 4)
    const local = 2
    const plain = 1
    const body = Buffer.concat([header, attribute(local, address), attribute(plain, address)])
    this.#ask(message.newAddress, flag.create | flag.replace, body)
  }

  /** `destination` undefined is the default route. Adding a route twice is fine. */
  addRoute(route: { index: number; destination?: Buffer; prefixLength: number; gateway?: Buffer }): void {
    const header = Buffer.alloc(12)
    header.writeUInt8(AF_INET, 0)
    header.writeUInt8(route.prefixLength, 1)
    const [mainTable, bootProtocol, unicast] = [254, 3, 1]
    header.writeUInt8(mainTable, 4)
    header.writeUInt8(bootProtocol, 5)
    header.writeUInt8(route.gateway ? SCOPE.global : SCOPE.link, 6)
    header.writeUInt8(unicast, 7)
    const body = [header, attribute(4, u32(route.index))]
    if (route.destination) body.push(attribute(1, route.destination))
    if (route.gateway) body.push(attribute(5, route.gateway))
    this.#ask(message.newRoute, flag.create | flag.replace, Buffer.concat(body))
  }

  /** Sends one request and reads its answer: the bodies of a dump, nothing for a plain acknowledgement. */
  #ask(type: number, flags: number, body: Buffer): Buffer[] {
    const header = Buffer.alloc(HEADER)
    const sequence = ++this.#sequence
    header.writeUInt32LE(HEADER + body.length, 0)
    header.writeUInt16LE(type, 4)
    header.writeUInt16LE(flag.request | flag.ack | flags, 6)
    header.writeUInt32LE(sequence, 8)
    sendTo(this.#fd, Buffer.concat([header, body]))
    const answers: Buffer[] = []
    while (!this.#receive(sequence, type, answers)) {}
    return answers
  }

  /** True once the answer is complete. Left-overs of an earlier, failed exchange are skipped. */
  #receive(sequence: number, requestType: number, answers: Buffer[]): boolean {
    const length = receiveFrom(this.#fd, this.#buffer)
    let offset = 0
    while (offset + HEADER <= length) {
      const size = this.#buffer.readUInt32LE(offset)
      const type = this.#buffer.readUInt16LE(offset + 4)
      if (this.#buffer.readUInt32LE(offset + 8) === sequence) {
        if (type === message.done) return true
        if (type === message.error) {
          const errno = -this.#buffer.readInt32LE(offset + HEADER)
          if (errno !== 0) throw netlinkError(errno, requestType)
          return true
        }
        answers.push(Buffer.from(this.#buffer.subarray(offset + HEADER, offset + size)))
      }
      offset += align(size)
    }
    return false
  }
}

function netlinkError(errno: number, type: number): SyscallError {
  const name = Object.entries(constants.errno).find(([, number]) => number === errno)?.[0] ?? `errno ${errno}`
  return new SyscallError('netlink', name, `request ${type}`)
}

const align = (length: number) => (length + 3) & ~3

function attribute(type: number, value: Buffer): Buffer {
  const buffer = Buffer.alloc(align(4 + value.length))
  buffer.writeUInt16LE(4 + value.length, 0)
  buffer.writeUInt16LE(type, 2)
  value.copy(buffer, 4)
  return buffer
}

function interfaceHeader(index: number, flags: number, change: number): Buffer {
  const header = Buffer.alloc(16)
  header.writeInt32LE(index, 4)
  header.writeUInt32LE(flags, 8)
  header.writeUInt32LE(change, 12)
  return header
}

const text = (value: string) => Buffer.from(`${value}\0`)

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

function parseLink(body: Buffer): Link {
  const link: Link = { index: body.readInt32LE(4), name: '', master: 0 }
  let offset = HEADER
  while (offset + 4 <= body.length) {
    const length = body.readUInt16LE(offset)
    const type = body.readUInt16LE(offset + 2)
    const value = body.subarray(offset + 4, offset + length)
    if (type === linkAttribute.name) link.name = value.toString('utf8', 0, value.length - 1)
    if (type === linkAttribute.master) link.master = value.readUInt32LE(0)
    offset += align(Math.max(length, 4))
  }
  return link
}
